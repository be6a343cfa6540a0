"""Writing and sending what the outbox holds; runs in the worker."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from idp.mails.service import Recipient
from idp.sessions.user_agents import device_name
from idp.settings import current_settings
from kernel.mail import Mail, render_mail, send_mail
from kernel.outbox import Message
from kernel.web import public_url


def deliver(message: Message) -> None:
    """Send one letter; the handler of the outbox's kind `letter`."""
    payload = message.payload
    send_letter(
        payload["letter"],
        to=Recipient(payload["to"], payload["language"]),
        context=payload["context"],
        message_id=message.id,
    )


def send_letter(
    letter: str, *, to: Recipient, context: Mapping[str, Any], message_id: UUID
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
        **context,
        "at": datetime.fromisoformat(context["at"]),
    }
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
