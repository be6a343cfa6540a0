"""What the portal's pages hang in: its menu, and the person's."""

from flask import current_app, url_for

from kernel.i18n import gettext as _
from kernel.web import Application, MenuLink, NavigationItem, PersonMenu
from portal.settings import portal_settings_of
from relying_party.contexts.current import Work, work_or_none
from relying_party.sessions.current import signed_in_or_none


def shell() -> dict[str, object]:
    """A context processor for every template."""
    person = signed_in_or_none()
    if person is None:
        return {}
    settings = portal_settings_of(current_app)
    work = work_or_none()
    return {
        "applications_url": applications_url,
        "application": Application(name=_("Portal"), home=_home(work), help=settings.help_url),
        "navigation": _navigation(work),
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


def applications_url() -> str:
    """«My applications», of the account that the tab works in."""
    work = work_or_none()
    if work is None:
        return url_for("applications.page")
    return url_for("applications.page_in_context", context=work.context)


def _home(work: Work | None) -> str:
    if work is None:
        return url_for("home.page")
    return url_for("home.page_in_context", context=work.context)


def _navigation(work: Work | None) -> list[NavigationItem]:
    lines = [
        NavigationItem(_("Home"), _home(work), "home"),
        NavigationItem(_("My applications"), applications_url(), "apps"),
        NavigationItem(
            _("Company accounts"), url_for("contexts.page"), "briefcase", also=("/accounts",)
        ),
    ]
    if work is not None:
        address = url_for("contexts.permissions", context=work.context)
        lines.append(NavigationItem(_("What you may do here"), address, "shield-lock"))
    return lines
