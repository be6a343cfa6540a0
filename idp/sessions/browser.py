"""The browser that sent the request, as use cases need it: no cookies or headers further in."""

from dataclasses import dataclass
from datetime import datetime

from idp.sessions import devices, service
from idp.sessions.service import SignedIn, Whereabouts
from kernel.crypto import hash_token
from kernel.i18n import current_language
from kernel.web import browser_id, request_facts


@dataclass(frozen=True)
class Browser:
    """What is known of the browser in front of us."""

    id_hash: bytes
    device_secret: str | None
    signed_in: SignedIn | None
    where: Whereabouts
    request_id: str
    language: str

    @property
    def personal(self) -> dict[str, str | None]:
        """What the ledger keeps in its erasable part."""
        return {"address": self.where.address, "user_agent": self.where.user_agent}


def this_browser(now: datetime) -> Browser:
    """The browser of the request being answered."""
    facts = request_facts()
    return Browser(
        id_hash=hash_token(browser_id()),
        device_secret=devices.secret_of_this_browser(),
        signed_in=service.current(now),
        where=Whereabouts(user_agent=facts.user_agent, address=facts.address),
        request_id=facts.request_id,
        language=current_language(),
    )
