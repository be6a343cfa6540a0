"""The truth goes to the mailbox: here, and only here, is an address looked up that somebody typed."""

from idp.credentials import email_code
from idp.credentials.email_code import Purpose
from idp.credentials.own_access import has_own_access
from idp.mails.delivery import send_letter
from idp.mails.service import Recipient
from kernel.outbox import Message
from kernel.web import public_url
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary


def deliver(message: Message) -> None:
    """Answer a request for a mail; the handler of the outbox's kind `mailbox`."""
    payload = message.payload
    purpose = Purpose(payload["purpose"])
    with db.reading() as session:
        person = people.find_by_email(session, payload["email"])
        has_come = person is not None and has_own_access(session, person_id=person.id)
    letter = which_letter(purpose, person, has_come=has_come)
    if letter is None:
        return
    language = payload["language"] if person is None else person.locale or payload["language"]
    send_letter(
        letter,
        to=Recipient(person.email if person is not None else payload["email"], language),
        context={
            "at": message.created_at.isoformat(),
            "code": payload["code"],
            "minutes": int(email_code.LIFETIME.total_seconds() // 60),
            "link": public_url(_PAGES[purpose], token=payload["token"]),
        },
        message_id=message.id,
    )


def which_letter(
    purpose: Purpose, person: PersonSummary | None, *, has_come: bool = True
) -> str | None:
    """What to write to the owner of an address, or None for a person who is blocked.

    Whoever an account has added without a word (TEN-7) has an ID and has not come yet: for them,
    registering is the way in as for everybody.
    """
    if person is not None and person.is_active and not has_come and purpose is Purpose.REGISTRATION:
        return "registration/confirm"
    if person is None:
        return {
            Purpose.REGISTRATION: "registration/confirm",
            Purpose.RESET: "recovery/unknown",
        }[purpose]
    if not person.is_active:
        return None
    return {
        Purpose.REGISTRATION: "registration/known",
        Purpose.RESET: "recovery/reset",
    }[purpose]


_PAGES = {Purpose.REGISTRATION: "registration.open_link", Purpose.RESET: "recovery.open_link"}
