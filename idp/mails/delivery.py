"""Writing and sending what the outbox holds; runs in the worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from idp.mails.service import Recipient
from idp.places import place_of
from idp.sessions.user_agents import device_name
from idp.settings import current_settings
from kernel.i18n import in_time_zone
from kernel.mail import Mail, render_mail, send_mail
from kernel.outbox import Message
from kernel.web import public_url
from tenants.database import db
from tenants.people import service as people


def deliver(message: Message) -> None:
    """Send one letter; the handler of the outbox's kind `letter`."""
    payload = message.payload
    send_letter(
        payload["letter"],
        to=Recipient(payload["to"], payload["language"]),
        context=payload["context"],
        message_id=message.id,
        time_zone=_time_zone_of(payload.get("person")),
    )


def send_letter(
    letter: str,
    *,
    to: Recipient,
    context: Mapping[str, Any],
    message_id: UUID,
    time_zone: str | None = None,
) -> None:
    """Write a letter in its reader's language and hand it to the mail server."""
    words = {
        "email": to.email,
        "address": None,
        "device": device_name(str(context.get("user_agent") or "")),
        "sign_in_url": public_url("sign_in.address"),
        "reset_url": public_url("recovery.address"),
        "register_url": public_url("registration.address"),
        "security_url": public_url("account.security"),
        "waiting_url": public_url("account.invitations"),
        "not_me_url": _not_me_url(context.get("not_me_token")),
        "not_me_days": current_settings().not_me_days,
        "stop_url": _link("lost_factors.open_stop_link", context.get("stop_token")),
        "welcome_url": _link("access.open_link", context.get("welcome_token")),
        "invitation_url": _link("invitations.open_link", context.get("invitation_token")),
        "place": place_of(context.get("address"), to.language),
        **context,
        **_moments(context),
    }
    with in_time_zone(time_zone):
        subject, text, html = render_mail(letter, to.language, **words)
    send_mail(
        current_settings(),
        Mail(
            to=to.email,
            subject=subject,
            text=text,
            html=html,
            message_id=message_id,
            locale=to.language,
        ),
    )


def _not_me_url(token: str | None) -> str:
    return public_url("not_me.ask", token=token) if token else public_url("recovery.address")


def _link(endpoint: str, token: str | None) -> str:
    return public_url(endpoint, token=token) if token else ""


def _moments(context: Mapping[str, Any]) -> dict[str, datetime]:
    """The moments that a letter names; in the outbox they are text."""
    return {
        name: datetime.fromisoformat(context[name])
        for name in ("at", "ready_at", "expires_at")
        if name in context
    }


def _time_zone_of(person_id: str | None) -> str | None:
    """As it is now, and not as it was when the mail was put into the outbox."""
    if person_id is None:
        return None
    with db.reading() as session:
        person = people.find(session, UUID(person_id))
    return person.zoneinfo if person is not None else None
