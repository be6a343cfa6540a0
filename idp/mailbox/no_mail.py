"""«I got no mail»: what every page says that waits for one. The words are in `mailbox/no_mail.html`.

The same words for everybody: nothing of it depends on who has which address.
"""

from dataclasses import dataclass
from email.utils import parseaddr

from flask import Flask

from idp.mailbox.service import MAILS_TO_ADDRESS
from idp.settings import current_settings
from kernel.i18n import ngettext


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


def mails_wait(seconds: int) -> str:
    """How long no further mail is sent. For those alone who may know that there were some."""
    minutes = -(-seconds // 60)
    return str(
        ngettext(
            "Several mails were sent already. Another one can go in %(num)d minute.",
            "Several mails were sent already. Another one can go in %(num)d minutes.",
            minutes,
        )
    )


def set_up(app: Flask) -> None:
    """Let templates ask."""
    app.jinja_env.globals["mail_hints"] = hints
    app.jinja_env.globals["mails_wait"] = mails_wait
