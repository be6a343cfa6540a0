"""What the CRM's pages hang in: its menu, and the person's."""

from flask import current_app, url_for

from crm.settings import crm_settings_of
from kernel.i18n import gettext as _
from kernel.web import Application, MenuLink, NavigationItem, PersonMenu
from relying_party.contexts.current import Work, work_or_none
from relying_party.sessions.current import signed_in_or_none


def shell() -> dict[str, object]:
    """A context processor for every template."""
    person = signed_in_or_none()
    if person is None:
        return {}
    settings = crm_settings_of(current_app)
    work = work_or_none()
    return {
        "application": Application(name=_("CRM"), home=_home(work)),
        "navigation": _navigation(work),
        "person_menu": PersonMenu(
            name=person.display_name,
            email=person.email or person.display_name,
            sign_out=url_for("logout.sign_out"),
            links=[
                MenuLink(_("Profile"), settings.profile_url, "user"),
                MenuLink(_("Login security"), settings.login_security_url, "shield-lock"),
                MenuLink(_("All applications"), f"{settings.portal_url}/", "apps"),
            ],
        ),
    }


def _home(work: Work | None) -> str:
    if work is None:
        return url_for("dashboard.start")
    return url_for("dashboard.page", context=work.context)


def _navigation(work: Work | None) -> list[NavigationItem]:
    if work is None:
        return [NavigationItem(_("Company accounts"), url_for("contexts.page"), "briefcase")]
    return [
        NavigationItem(_("Dashboard"), _home(work), "layout-dashboard"),
        NavigationItem(
            _("What you may do here"),
            url_for("contexts.permissions", context=work.context),
            "shield-lock",
        ),
    ]
