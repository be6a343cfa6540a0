"""«Quick access»: three groups of links, each only to what is really there."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.i18n import gettext as _
from portal.settings import PortalSettings


@dataclass(frozen=True)
class Link:
    """One line of a group."""

    text: str
    url: str
    leaves: bool = False
    """Whether it leads out of the portal."""


@dataclass(frozen=True)
class Group:
    """Links of one kind; `nothing` is said where there are none."""

    title: str
    icon: str
    links: Sequence[Link]
    nothing: str = ""


def groups(settings: PortalSettings, *, applications_url: str, contexts_url: str) -> list[Group]:
    """Applications, my account, support centre."""
    return [
        Group(
            title=_("Applications"),
            icon="apps",
            links=_configured(
                Link(_("My applications"), applications_url),
                Link(_("Online shop"), settings.shop_url, leaves=True),
            ),
        ),
        Group(
            title=_("My account"),
            icon="user-circle",
            links=[
                Link(_("Profile"), settings.profile_url, leaves=True),
                Link(_("Login security"), settings.login_security_url, leaves=True),
                Link(_("Open sessions"), settings.open_sessions_url, leaves=True),
                Link(_("Company accounts"), contexts_url),
            ],
        ),
        Group(
            title=_("Support centre"),
            icon="headset",
            links=_configured(
                Link(_("Help centre"), settings.help_url, leaves=True),
                Link(_("Documentation"), settings.documentation_url, leaves=True),
            ),
            nothing=_("There is no help on the web for this installation yet."),
        ),
    ]


def _configured(*links: Link) -> list[Link]:
    return [link for link in links if link.url]
