"""How strongly somebody signed in: `acr` (OpenID Connect Core §2) and `amr` (RFC 8176).

The three classes are in order: whoever reached a higher one has reached the lower ones too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

SINGLE_FACTOR = "urn:klucznik:acr:single-factor"
MAIL_CODE = "urn:klucznik:acr:mail-code"
TWO_FACTOR = "urn:klucznik:acr:two-factor"

LOWEST_FIRST = (SINGLE_FACTOR, MAIL_CODE, TWO_FACTOR)

# Authentication methods, by RFC 8176 where it has a word.
PASSWORD = "pwd"  # noqa: S105
ONE_TIME_CODE = "otp"
MAILED_CODE = "mca"
RECOVERY_CODE = "rcv"
HARDWARE_KEY = "hwk"
SOFTWARE_KEY = "swk"
USER_PRESENCE = "user"
REMEMBERED_DEVICE = "device"
SEVERAL_FACTORS = "mfa"


@dataclass(frozen=True)
class Wanted:
    """What an authorization request asks of the sign-in that answers it."""

    acr: tuple[str, ...] | None = None
    """The classes that are good enough; None: any."""
    max_age: int | None = None
    prompt_login: bool = False
    person_id: UUID | None = None
    """The person that `id_token_hint` names; nobody else will do."""
    login_hint: str | None = None
    after: datetime | None = None
    """Sign-ins up to this moment won't do."""

    def is_by(self, person_id: UUID) -> bool:
        """Whether a sign-in of this person will do."""
        return self.person_id is None or self.person_id == person_id

    def is_recent(
        self, auth_time: datetime, *, flow_began_at: datetime | None, again: bool, now: datetime
    ) -> bool:
        """Whether a sign-in of that moment will do.

        One within the flow answers `prompt=login` and `max_age`, however small, and whatever else
        asks `again`.
        """
        if self.after is not None and auth_time <= self.after:
            return False
        if flow_began_at is not None and auth_time >= flow_began_at:
            return True
        if again or self.prompt_login:
            return False
        return self.max_age is None or now - auth_time <= timedelta(seconds=self.max_age)


def satisfies(reached: str, acceptable: Sequence[str] | None) -> bool:
    """Whether a sign-in of this class is good enough.

    >>> satisfies(MAIL_CODE, (TWO_FACTOR,)), satisfies(TWO_FACTOR, None)
    (False, True)
    """
    return acceptable is None or reached in acceptable


def acceptable(acr_values: Sequence[str]) -> tuple[str, ...] | None:
    """The classes that answer `acr_values`: the lowest one named that we know, and all above.

    Values that we don't know are passed over: the parameter is a wish, not a condition
    (OpenID Connect Core §3.1.2.1).

    >>> acceptable([MAIL_CODE, "gold"]) == (MAIL_CODE, TWO_FACTOR)
    True
    >>> acceptable(["1", "2"]) is None
    True
    """
    known = [LOWEST_FIRST.index(value) for value in acr_values if value in LOWEST_FIRST]
    return LOWEST_FIRST[min(known) :] if known else None
