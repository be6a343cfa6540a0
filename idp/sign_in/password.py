"""The first factor: an address and a password.

Known and unknown addresses take the same way: the same statements, the same hash, the same answers.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, select

from idp.credentials import email_code, passkeys, password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.models import Password, Totp
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import AnyFlow, Flow, FlowState
from idp.mails.service import Recipient
from idp.not_me.locks import Locked
from idp.not_me.models import SignInLock
from idp.notices import service as notices
from idp.protocol import acr
from idp.sessions.browser import Browser
from idp.sessions.devices import KnownDevice
from idp.sessions.models import Device
from idp.settings import current_settings
from idp.sign_in import policy, throttle
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.destination import application_of
from idp.sign_in.mailed_code import send_code
from idp.sign_in.outcomes import Proved, Throttled, Wrong, count_outcome
from idp.sign_in.pace import pace
from idp.sign_in.policy import SecondFactor
from idp.sign_in.throttle import Guesser
from kernel.crypto import hash_token
from kernel.database import HotStatement, Reads, SessionNeeded, Writes, as_session
from kernel.errors import Refused
from kernel.ledger import INSTALLATION
from kernel.limits import Refusal, Taken
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.address import Address, canonical_email


class AddressMissing(Refused):
    """A password without an address: the page before was left out."""

    reason = "address_missing"


@dataclass(frozen=True)
class _Account:
    """What belongs to an address, if anything does."""

    person_id: UUID
    email: str
    locale: str | None
    hash: str | None
    is_temporary: bool
    device: KnownDevice | None
    has_authenticator: bool
    has_passkey: bool
    is_locked: bool


@dataclass(frozen=True)
class _Attempt:
    """A try that was counted and may be checked."""

    address: Address
    account: _Account | None
    guesser: Guesser
    taken: Taken
    dearest_hash: int | None

    @property
    def hash(self) -> str | None:
        return self.account.hash if self.account is not None else None

    def is_usual(self, now: datetime) -> bool:
        """Whether the password alone lets this person in, by all that is known before the hash."""
        device = self.account.device if self.account is not None else None
        return device is not None and device.is_remembered(now)

    @property
    def hash_to_wait_for(self) -> int | None:
        """What the dearest hash costs; a device that knows the person has nothing to find out."""
        return self.dearest_hash if self.guesser.device_id is None else None


def give_address(flow_id: str | None, text: str, *, browser: Browser, now: datetime) -> None:
    """Note whom the flow is about. Nobody looks the address up; raises NotAnAddress."""
    address = canonical_email(text)
    with db.transaction() as session:
        set_address(flows.lock(session, flow_id, browser.id_hash, now), address)


def prove(
    flow_id: str | None, *, email: str | None, typed: str, browser: Browser, now: datetime
) -> Proved | Wrong | Throttled:
    """Check a password for the flow's address, or for one that comes with it.

    Raises NotAnAddress, AddressMissing, FlowExpired, Locked, Overloaded.
    """
    attempt = _count(flow_id, email, browser, now)
    if isinstance(attempt, Throttled):
        count_outcome("password", "throttled")
        return attempt
    if not password.is_measurable(typed):
        return _refuse(attempt, browser, now)
    with pace().attempt(attempt.hash_to_wait_for) as wait:
        verdict = hashing().verify(attempt.hash, typed)
        if not verdict.matches:
            refused = _refuse(attempt, browser, now)
            wait(typed, verdict)
            return refused
    newer = hashing().hash(password.normalised(typed)) if verdict.is_outdated else None
    outcome = _enter(flow_id, attempt, newer, browser, now)
    if isinstance(outcome, Locked):
        # Raised after the commit: what is noted of it stays.
        count_outcome("password", "locked")
        raise outcome
    return outcome


def _count(
    flow_id: str | None, email: str | None, browser: Browser, now: datetime
) -> _Attempt | Throttled:
    typed = canonical_email(email) if email is not None else None
    with db.hot_transaction() as transaction:
        flow = flows.hold(transaction, flow_id, browser.id_hash, now)
        if typed is not None:
            flows.change(transaction, flow, **_with_address(flow, typed))
        elif flow.email is None:
            raise AddressMissing("no address in this flow")
        address = typed or canonical_email(flow.email)
        account, dearest_hash = _look_up(transaction, address, browser)
        guesser = Guesser(
            email_key=address.key,
            device_id=account.device.id if account is not None and account.device else None,
            place=browser.where.place,
            tries_from_place=current_settings().sign_in_tries_per_address,
        )
        taken = throttle.take(transaction, throttle.password_tries(guesser), now=now)
    if isinstance(taken, Refusal):
        return Throttled.by(taken, now)
    return _Attempt(address, account, guesser, taken, dearest_hash)


def _refuse(attempt: _Attempt, browser: Browser, now: datetime) -> Wrong:
    count_outcome("password", "wrong")
    _note_failure(attempt, browser, now)
    return Wrong()


def _enter(
    flow_id: str | None,
    attempt: _Attempt,
    newer_hash: str | None,
    browser: Browser,
    now: datetime,
) -> Proved | Wrong | Locked:
    try:
        # What most sign-ins are: the usual password, on a device that is known.
        with db.hot_transaction() as transaction:
            outcome = _let_in(transaction, flow_id, attempt, newer_hash, browser, now)
    except SessionNeeded:
        with db.transaction() as session:
            outcome = _let_in(session, flow_id, attempt, newer_hash, browser, now)
    if isinstance(outcome, Proved):
        count_outcome("password", "right")
    return outcome


def _let_in(
    at: Writes,
    flow_id: str | None,
    attempt: _Attempt,
    newer_hash: str | None,
    browser: Browser,
    now: datetime,
) -> Proved | Wrong | Locked:
    if newer_hash is not None or not attempt.is_usual(now):
        as_session(at)
    flow = flows.hold(at, flow_id, browser.id_hash, now)
    account, _ = _look_up(at, attempt.address, browser)
    if account is None or account.hash is None or account.hash != attempt.hash:
        # Blocked, or the password was changed, while we were hashing.
        return Wrong()
    if not password.is_unchanged(at, person_id=account.person_id, hash_=account.hash):
        return Wrong()
    if account.is_locked:
        _note_locked(at, account, browser, now)
        return Locked("the right password of a locked ID")
    if newer_hash is not None:
        password.replace_hash(
            as_session(at), person_id=account.person_id, old=account.hash, new=newer_hash
        )
    throttle.forget_passwords(
        at, email_key=attempt.address.key, device_id=attempt.guesser.device_id
    )
    proved = _own_is_missing(account, now) if account.is_temporary else _proved(account, now)
    flow = flows.change(at, flow, **{**_with_address(flow, attempt.address), **proved})
    _tell_of_failures(at, account, attempt, browser, now)
    return Proved(None if account.is_temporary else _go_on(at, flow, account, browser, now))


def _proved(account: _Account, now: datetime) -> dict[str, Any]:
    """What a flow notes of a right password."""
    return {
        "person_id": account.person_id,
        "first_factor_at": now,
        "first_factor_amr": acr.PASSWORD,
        "new_password_of": None,
        "new_password_asked_at": None,
    }


def _own_is_missing(account: _Account, now: datetime) -> dict[str, Any]:
    """A temporary password is no factor: it opens the page that sets an own one, if not too late."""
    return {
        "person_id": None,
        "first_factor_at": None,
        "first_factor_amr": None,
        "new_password_of": account.person_id,
        "new_password_asked_at": now,
    }


def _go_on(
    at: Writes, flow: FlowState, account: _Account, browser: Browser, now: datetime
) -> Cookies | None:
    """Sign in at once where the password is enough, else prepare the second factor."""
    remembered = account.device is not None and account.device.is_remembered(now)
    second = policy.second_factor(
        has_authenticator=account.has_authenticator,
        has_passkey=account.has_passkey,
        device_is_remembered=remembered,
        mailbox_is_proved=flow.mailbox_email is not None
        and canonical_email(flow.mailbox_email).key == canonical_email(account.email).key,
    )
    if second is SecondFactor.NONE:
        return complete(
            at,
            person_id=account.person_id,
            recipient=_recipient(account, browser),
            amr=[acr.PASSWORD, acr.REMEMBERED_DEVICE] if remembered else [acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            application=application_of(flow),
            browser=browser,
            now=now,
        )
    session = as_session(at)
    # A code that was mailed to whoever this flow was about before is void.
    email_code.void(session, flow_id=flow.id, purpose=Purpose.SIGN_IN, now=now)
    if second is SecondFactor.MAILED_CODE:
        send_code(
            session,
            flow_id=flow.id,
            person_id=account.person_id,
            recipient=_recipient(account, browser),
            now=now,
        )
    return None


def set_address(flow: Flow, address: Address) -> None:
    """Let a flow be about this address."""
    for name, value in _with_address(flow, address).items():
        setattr(flow, name, value)


def _with_address(flow: AnyFlow, address: Address) -> dict[str, Any]:
    """What changes in a flow with its address: whatever was proved was proved about the other."""
    if flow.email == address.display:
        return {}
    of_person = ("person_id", "first_factor_at", "first_factor_amr")
    forgotten = [*of_person, "new_password_of", "new_password_asked_at"]
    if flow.mailbox_email is not None and canonical_email(flow.mailbox_email).key != address.key:
        forgotten += ["mailbox_email", "mailbox_proven_at", "mailbox_proven_for"]
    return {"email": address.display, **dict.fromkeys(forgotten)}


def _all_of_an_address() -> Select[Any]:
    """All that a sign-in needs to know of an address and a browser, and what a hash may cost."""
    person = people.active_people().subquery()
    dearest = password.dearest_hash().subquery()
    is_this_browser = and_(
        Device.person_id == person.c.id,
        Device.secret_hash == bindparam("device_hash"),
        Device.ended_at.is_(None),
    )
    return (
        select(
            person.c.id,
            person.c.email,
            person.c.locale,
            Password.hash,
            Password.temporary_until,
            Device.id.label("device_id"),
            Device.remembered_until,
            Totp.id.label("totp_id"),
            passkeys.has_any(person.c.id).label("has_passkey"),
            SignInLock.locked_at,
            dearest.c.milliseconds,
        )
        .select_from(dearest)
        .outerjoin(person, person.c.email_key == bindparam("email_key"))
        .outerjoin(Password, Password.person_id == person.c.id)
        .outerjoin(SignInLock, SignInLock.person_id == person.c.id)
        .outerjoin(Device, is_this_browser)
        .outerjoin(Totp, and_(Totp.person_id == person.c.id, Totp.confirmed_at.is_not(None)))
    )


_LOOK_UP = HotStatement(_all_of_an_address)


def _look_up(at: Reads, address: Address, browser: Browser) -> tuple[_Account | None, int | None]:
    """The account, if there is one, and what the dearest imported hash costs; in one statement."""
    device_hash = hash_token(browser.device_secret or "")
    (row,) = _LOOK_UP.rows(at, email_key=address.key, device_hash=device_hash)
    if row.id is None:
        return None, row.milliseconds
    account = _Account(
        person_id=row.id,
        email=row.email,
        locale=row.locale,
        hash=row.hash,
        is_temporary=row.temporary_until is not None,
        device=KnownDevice(row.device_id, row.remembered_until) if row.device_id else None,
        has_authenticator=row.totp_id is not None,
        has_passkey=row.has_passkey,
        is_locked=row.locked_at is not None,
    )
    return account, row.milliseconds


def _recipient(account: _Account, browser: Browser) -> Recipient:
    return Recipient.of(account, otherwise=browser.language)


def _note_failure(attempt: _Attempt, browser: Browser, now: datetime) -> None:
    """One row a limit window: a single wrong password changes nothing but a count."""
    if not attempt.taken.was_last:
        return
    person_id = attempt.account.person_id if attempt.account is not None else None
    with db.transaction() as session:
        ledger.append(
            session,
            chain=person_chain(person_id) if person_id is not None else INSTALLATION,
            event=IdpEvent.SIGN_IN_PASSWORD_THROTTLED,
            actor=None,
            subject=str(person_id) if person_id is not None else None,
            result="failure",
            at=now,
            details={"failures": attempt.taken.count},
            personal=browser.personal,
            request_id=browser.request_id,
        )


def _note_locked(at: Writes, account: _Account, browser: Browser, now: datetime) -> None:
    """Somebody knows the password of a locked ID. Such tries stay counted, so rows are few."""
    ledger.append(
        at,
        chain=person_chain(account.person_id),
        event=IdpEvent.SIGN_IN_PASSWORD_LOCKED,
        actor=None,
        subject=str(account.person_id),
        result="failure",
        at=now,
        personal=browser.personal,
        request_id=browser.request_id,
    )


def _tell_of_failures(
    at: Writes, account: _Account, attempt: _Attempt, browser: Browser, now: datetime
) -> None:
    failures = attempt.taken.count - 1
    if failures >= throttle.PASSWORDS_OF_STRANGERS.free and attempt.guesser.device_id is None:
        notices.tell(
            as_session(at),
            "many_failures",
            person_id=account.person_id,
            to=_recipient(account, browser),
            browser=browser,
            context={"failures": failures},
            now=now,
        )
