"""What can happen in accounts, by name: one enum a feature."""

from tenants.audit import Event


class ApplicationEvent(Event):
    """Applications declare what they let people do, and accounts get them."""

    DECLARED = "application:declared"
    GIVEN = "application:given"
    TAKEN = "application:taken"


class AccountEvent(Event):
    """The life of an account."""

    CREATED = "account:created"
    CHANGED = "account:changed"
    SUSPENDED = "account:suspended"
    RESUMED = "account:resumed"
    HANDED_OVER = "account:handed-over"
    FLAGGED = "account:flagged"
    CLOSED = "account:closed"
    CONFIGURATION_EXPORTED = "account:configuration:exported"
    CONFIGURATION_IMPORTED = "account:configuration:imported"
    AUDIT_EXPORTED = "account:audit:exported"


class CompanyEvent(Event):
    """The companies of an account."""

    CREATED = "company:created"
    CHANGED = "company:changed"
    ARCHIVED = "company:archived"
    RESTORED = "company:restored"


class RoleEvent(Event):
    """The roles of an account and their permissions."""

    CREATED = "role:created"
    CHANGED = "role:changed"
    REMOVED = "role:removed"


class MemberEvent(Event):
    """Who belongs to an account, and with which roles."""

    ADDED = "member:added"
    CHANGED = "member:changed"
    ROLES_CHANGED = "member:roles:changed"
    ROLES_EXPIRED = "member:roles:expired"
    ACCEPTED = "member:accepted"
    BLOCKED = "member:blocked"
    UNBLOCKED = "member:unblocked"
    REMOVED = "member:removed"
    LEFT = "member:left"
    SIGNED_OUT = "member:signed-out"
    INFORMED = "member:informed"


class ClientAccountEvent(Event):
    """Who is a client of an account."""

    ADDED = "client-account:added"
    CHANGED = "client-account:changed"
    BLOCKED = "client-account:blocked"
    UNBLOCKED = "client-account:unblocked"
    REMOVED = "client-account:removed"
    SIGNED_OUT = "client-account:signed-out"
    INFORMED = "client-account:informed"


class ApiKeyEvent(Event):
    """The keys of an account's own programs."""

    CREATED = "api-key:created"
    CHANGED = "api-key:changed"
    ROTATED = "api-key:rotated"
    REVOKED = "api-key:revoked"


class WebhookEvent(Event):
    """Where an account wants to hear of what happens in it."""

    CREATED = "webhook:created"
    CHANGED = "webhook:changed"
    SECRET_ROTATED = "webhook:secret:rotated"  # noqa: S105
    DISABLED = "webhook:disabled"
    ENABLED = "webhook:enabled"
    REMOVED = "webhook:removed"
    REPLAYED = "webhook:replayed"
    TESTED = "webhook:tested"


class InvitationEvent(Event):
    """Places that wait for somebody."""

    CREATED = "invitation:created"
    SENT_AGAIN = "invitation:sent-again"
    ACCEPTED = "invitation:accepted"
    REVOKED = "invitation:revoked"
    DECLINED = "invitation:declined"
