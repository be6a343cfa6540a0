"""Words that several account pages say."""

from idp.events import IdpEvent
from idp.protocol import acr
from idp.sign_in.outcomes import Throttled
from idp.sign_in.waiting import minutes_of
from kernel.i18n import _, ngettext
from kernel.i18n import lazy_gettext as lazy

EVENTS = {
    IdpEvent.SIGN_IN_SUCCEEDED: lazy("Sign-in"),
    IdpEvent.SIGN_IN_STEPPED_UP: lazy("One more proof in an open session"),
    IdpEvent.SIGN_IN_PASSWORD_THROTTLED: lazy("Too many wrong passwords"),
    IdpEvent.SIGN_IN_PASSWORD_LOCKED: lazy("The right password, while the ID was locked"),
    IdpEvent.SIGN_IN_CODE_THROTTLED: lazy("Too many wrong codes"),
    IdpEvent.SIGN_IN_CODE_EXHAUSTED: lazy("The right password, then several wrong codes"),
    IdpEvent.PERSON_REGISTERED: lazy("The ID was created"),
    IdpEvent.PERSON_IMPORTED: lazy("The ID came from another system"),
    IdpEvent.PASSWORD_CHANGED: lazy("Password changed"),
    IdpEvent.PASSWORD_RESET: lazy("New password set by mail"),
    IdpEvent.ACCESS_GIVEN: lazy("Access was sent by mail"),
    IdpEvent.ACCESS_USED: lazy("First own password set"),
    IdpEvent.AUTHENTICATOR_ADDED: lazy("Authenticator app added"),
    IdpEvent.AUTHENTICATOR_REMOVED: lazy("Authenticator app removed"),
    IdpEvent.PASSKEY_ADDED: lazy("Passkey added"),
    IdpEvent.PASSKEY_REMOVED: lazy("Passkey removed"),
    IdpEvent.PASSKEY_RENAMED: lazy("Passkey renamed"),
    IdpEvent.PASSKEY_COUNTER_WENT_BACK: lazy("Passkey refused: there may be a copy of it"),
    IdpEvent.RECOVERY_CODES_MADE: lazy("New recovery codes made"),
    IdpEvent.RECOVERY_CODES_VOIDED: lazy("Recovery codes voided"),
    IdpEvent.RECOVERY_CODE_USED: lazy("Recovery code used"),
    IdpEvent.LOST_FACTORS_ASKED: lazy("Removal of lost factors asked for"),
    IdpEvent.LOST_FACTORS_APPROVED: lazy("The support office approved the removal of factors"),
    IdpEvent.LOST_FACTORS_REFUSED: lazy("The support office refused the removal of factors"),
    IdpEvent.LOST_FACTORS_STOPPED: lazy("Removal of lost factors stopped"),
    IdpEvent.LOST_FACTORS_REMOVED: lazy("Lost factors removed"),
    IdpEvent.DEVICE_FORGOTTEN: lazy("Remembered device removed"),
    IdpEvent.SESSIONS_ENDED: lazy("Signed out"),
    IdpEvent.SIGN_IN_LOCKED: lazy("The ID was locked"),
    IdpEvent.SIGN_IN_UNLOCKED: lazy("The support office unlocked the ID"),
    IdpEvent.PERSON_BLOCKED: lazy("The support office blocked the ID"),
    IdpEvent.PERSON_UNBLOCKED: lazy("The support office unblocked the ID"),
}
MEANS = {
    acr.PASSWORD: lazy("password"),
    acr.HARDWARE_KEY: lazy("passkey"),
    acr.SOFTWARE_KEY: lazy("passkey"),
    acr.ONE_TIME_CODE: lazy("authenticator app"),
    acr.MAILED_CODE: lazy("code by mail"),
    acr.RECOVERY_CODE: lazy("recovery code"),
    acr.REMEMBERED_DEVICE: lazy("remembered device"),
}


def wait(throttled: Throttled) -> str:
    """What to tell somebody who tried too often."""
    if throttled.for_good:
        return str(
            _("There were too many wrong tries. Sign out, and set a new password at sign-in.")
        )
    return str(
        ngettext(
            "Too many wrong tries. Try again in %(num)d minute.",
            "Too many wrong tries. Try again in %(num)d minutes.",
            minutes_of(throttled),
        )
    )
