"""What can happen in the identity program, by name."""

from tenants.audit import Event


class IdpEvent(Event):
    """Events of signing in, of factors and of sessions."""

    PERSON_REGISTERED = "person:registered"
    PERSON_IMPORTED = "person:imported"
    PEOPLE_IMPORTED = "people:imported"
    IMPORTED_PASSWORDS_FORGOTTEN = "imported-passwords:forgotten"
    PERSON_PROFILE_CHANGED = "person:profile:changed"
    PERSON_BLOCKED = "person:blocked"
    PERSON_UNBLOCKED = "person:unblocked"

    SIGN_IN_SUCCEEDED = "sign-in:succeeded"
    SIGN_IN_STEPPED_UP = "sign-in:stepped-up"
    SIGN_IN_PASSWORD_THROTTLED = "sign-in:password:throttled"  # noqa: S105
    SIGN_IN_PASSWORD_LOCKED = "sign-in:password:locked"  # noqa: S105
    SIGN_IN_CODE_THROTTLED = "sign-in:code:throttled"
    SIGN_IN_CODE_EXHAUSTED = "sign-in:code:exhausted"
    SIGN_IN_PASSKEY_THROTTLED = "sign-in:passkey:throttled"
    SIGN_IN_LOCKED = "sign-in:locked"
    SIGN_IN_UNLOCKED = "sign-in:unlocked"

    PASSWORD_CHANGED = "password:changed"  # noqa: S105
    PASSWORD_RESET = "password:reset"  # noqa: S105
    ACCESS_GIVEN = "access:given"
    ACCESS_USED = "access:used"
    AUTHENTICATOR_ADDED = "authenticator:added"
    AUTHENTICATOR_REMOVED = "authenticator:removed"
    PASSKEY_ADDED = "passkey:added"
    PASSKEY_REMOVED = "passkey:removed"
    PASSKEY_RENAMED = "passkey:renamed"
    PASSKEY_COUNTER_WENT_BACK = "passkey:counter:went-back"
    RECOVERY_CODES_MADE = "recovery-codes:made"
    RECOVERY_CODES_VOIDED = "recovery-codes:voided"
    RECOVERY_CODE_USED = "recovery-codes:used"
    LOST_FACTORS_ASKED = "lost-factors:asked"
    LOST_FACTORS_APPROVED = "lost-factors:approved"
    LOST_FACTORS_REFUSED = "lost-factors:refused"
    LOST_FACTORS_STOPPED = "lost-factors:stopped"
    LOST_FACTORS_REMOVED = "lost-factors:removed"
    DEVICE_FORGOTTEN = "device:forgotten"
    SESSIONS_ENDED = "sessions:ended"


class ProviderEvent(Event):
    """Events of keys, applications and what was granted to them."""

    KEY_MADE = "key:made"
    KEY_WITHDRAWN = "key:withdrawn"
    SECRETS_RESEALED = "secrets:resealed"

    CLIENT_REGISTERED = "client:registered"
    CLIENT_CHANGED = "client:changed"
    CLIENT_SECRET_ROTATED = "client:secret:rotated"  # noqa: S105
    CLIENT_DISABLED = "client:disabled"
    CLIENT_REMOVED = "client:removed"

    GRANT_REVOKED = "grant:revoked"
    ACCESS_TOKEN_REVOKED = "grant:access-token:revoked"  # noqa: S105
    CODE_REPLAYED = "grant:code:replayed"
    REFRESH_TOKEN_REPLAYED = "grant:refresh-token:replayed"  # noqa: S105


class ProvisioningEvent(Event):
    """What applications do with people in accounts by themselves, beside adding and blocking them."""

    NAMED = "provisioning:named"
    ACCESS_SENT = "provisioning:access:sent"
