"""How often one may guess. Delays grow with each failure, and never reach the owner's own device.

Tries are counted before they are checked, in the transaction that comes before the check. Strangers
share the counts of an address; a device on which the person has signed in before has its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.database import Writes
from kernel.limits import Delays, LimitPolicy, Refusal, Taken, Window
from tenants.limits import limits

Tries = list[tuple[str, LimitPolicy]]

# Five wrong passwords in a row are free; then one waits, a quarter of an hour at most. A hundred
# in a row, and only a reset by mail opens the door again (NIST SP 800-63B-4 §3.2.2).
PASSWORDS_OF_STRANGERS = Delays("sign-in:password", free=5, ceiling=100)
PASSWORDS_OF_DEVICE = Delays("sign-in:password:device", free=10, ceiling=100)
CODES_OF_STRANGERS = Delays("sign-in:code", free=10, ceiling=100)
CODES_OF_DEVICE = Delays("sign-in:code:device", free=10, ceiling=100)
# Nobody guesses a passkey: these spare the database, and never meet who guesses passwords.
PASSKEYS_OF_BROWSER = Window("sign-in:passkey", limit=30, every=timedelta(minutes=15))


@dataclass(frozen=True)
class Guesser:
    """Whose guesses are counted together."""

    email_key: str
    device_id: UUID | None
    place: str
    tries_from_place: int


def password_tries(guesser: Guesser) -> Tries:
    """The limits that a password has to pass, in the order in which they are counted."""
    if guesser.device_id is not None:
        return [(str(guesser.device_id), PASSWORDS_OF_DEVICE)]
    return [
        (guesser.place, _from_place(guesser.tries_from_place)),
        (guesser.email_key, PASSWORDS_OF_STRANGERS),
    ]


def code_tries(*, person_id: UUID, device_id: UUID | None) -> Tries:
    """The limits that a second factor has to pass, over all flows, addresses and nodes."""
    if device_id is not None:
        return [(str(device_id), CODES_OF_DEVICE)]
    return [(str(person_id), CODES_OF_STRANGERS)]


def passkey_tries(*, browser_hash: bytes, place: str, tries_from_place: int) -> Tries:
    """The limits that a passkey has to pass. None is the person's: no stranger can use it up."""
    of_place = Window("sign-in:passkey:place", limit=tries_from_place, every=timedelta(minutes=15))
    return [(place, of_place), (browser_hash.hex(), PASSKEYS_OF_BROWSER)]


def forget_passkeys(session: Session, *, browser_hash: bytes) -> None:
    """A right passkey."""
    limits.clear(session, key=browser_hash.hex(), policy=PASSKEYS_OF_BROWSER)


def forget_passwords(at: Writes, *, email_key: str, device_id: UUID | None) -> None:
    """A right password, or a reset: the failures were not in a row."""
    tries: Tries = [(email_key, PASSWORDS_OF_STRANGERS)]
    if device_id is not None:
        tries.append((str(device_id), PASSWORDS_OF_DEVICE))
    limits.clear_all(at, tries)


def forget_codes(at: Writes, *, person_id: UUID, device_id: UUID | None) -> None:
    """A right second factor."""
    tries: Tries = [(str(person_id), CODES_OF_STRANGERS)]
    if device_id is not None:
        tries.append((str(device_id), CODES_OF_DEVICE))
    limits.clear_all(at, tries)


def reopen_codes(session: Session, *, person_id: UUID, device_id: UUID | None) -> None:
    """A reset opens what a hundred wrong codes closed for good; fewer of them stay counted."""
    limits.reopen(session, key=str(person_id), policy=CODES_OF_STRANGERS)
    if device_id is not None:
        limits.reopen(session, key=str(device_id), policy=CODES_OF_DEVICE)


def _from_place(limit: int) -> Window:
    return Window("sign-in:place", limit=limit, every=timedelta(minutes=15))


def take(at: Writes, tries: Tries, *, now: datetime) -> Taken | Refusal:
    """Count one try against all limits; the first that refuses ends it.

    `count` is that of the last limit, which is the person's.
    """
    was_last = False
    for key, policy in tries:
        answer = limits.take_in(at, key=key, policy=policy, now=now)
        if isinstance(answer, Refusal):
            return answer
        was_last = was_last or answer.was_last
        count = answer.count
    return Taken(count=count, was_last=was_last)
