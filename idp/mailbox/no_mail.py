"""«I got no mail»: what every page says that waits for one. The words are in `mailbox/no_mail.html`.

The same words for everybody: nothing of it depends on who has which address.
"""

from dataclasses import dataclass
from email.utils import parseaddr

from flask import Flask

from idp.mailbox.service import MAILS_TO_ADDRESS
from idp.settings import current_settings


@dataclass(frozen=True)
class Hints:
    """What somebody needs to know who waits for a mail."""

    sender: str
    """To be allowed in a filter."""
    an_hour: int
    """How many mails go to one address and for one purpose."""
    support: str
    """Where to ask, or an empty text."""

    @property
    def is_mailbox(self) -> bool:
        return "@" in self.support and " " not in self.support


def hints() -> Hints:
    """By the settings of this installation."""
    settings = current_settings()
    return Hints(
        sender=parseaddr(settings.mail_from)[1],
        an_hour=MAILS_TO_ADDRESS.limit,
        support=settings.support_contact.strip(),
    )


def set_up(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals["mail_hints"] = hints
