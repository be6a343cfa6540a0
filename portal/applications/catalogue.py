"""What applications there are, as the settings name them."""

from dataclasses import dataclass

from kernel.i18n import lazy_gettext as lazy
from portal.settings import PortalSettings
from relying_party.contexts.context import PREFIX, Context


@dataclass(frozen=True)
class Application:
    """One application that people can open."""

    key: str
    name: object
    purpose: object
    """One sentence for people who have never opened it."""
    url: str
    icon: str

    def url_in(self, context: Context) -> str:
        """Where it opens in this account or company."""
        return f"{self.url.rstrip('/')}{PREFIX}/{context}"


def applications(settings: PortalSettings) -> list[Application]:
    """Every application of this installation, in the order in which it is shown."""
    return [
        Application(
            key="crm",
            name=lazy("CRM"),
            purpose=lazy("Contacts, contracts and handovers of a property developer."),
            url=f"{settings.crm_url}/",
            icon="building-skyscraper",
        )
    ]


def find(settings: PortalSettings, key: str) -> Application | None:
    """The application with this key."""
    return next((known for known in applications(settings) if known.key == key), None)
