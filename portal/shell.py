"""What the portal's pages hang in: its menu, and the person's."""

from flask import current_app, url_for

from kernel.i18n import gettext as _
from kernel.web import Application, MenuLink, NavigationItem, PersonMenu
from portal.settings import portal_settings_of
from relying_party.sessions.current import signed_in_or_none


def shell() -> dict[str, object]:
    """A context processor for every template."""
    person = signed_in_or_none()
    if person is None:
        return {}
    settings = portal_settings_of(current_app)
    return {
        "application": Application(name=_("Portal"), help=settings.help_url),
        "navigation": [
            NavigationItem(_("Home"), url_for("home.page"), "home"),
            NavigationItem(
                _("My applications"),
                url_for("applications.page"),
                "apps",
                section="/applications",
            ),
        ],
        "person_menu": PersonMenu(
            name=person.display_name,
            email=person.email or person.display_name,
            sign_out=url_for("logout.sign_out"),
            links=[
                MenuLink(_("Profile"), settings.profile_url, "user"),
                MenuLink(_("Login security"), settings.login_security_url, "shield-lock"),
            ],
        ),
    }
