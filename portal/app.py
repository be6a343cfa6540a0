"""The portal, put together: one line a feature."""

from flask import Flask

from kernel.web import create_app as create_web_app
from portal.accounts import views as accounts
from portal.applications import views as applications
from portal.database import db
from portal.home import views as home
from portal.profiles import service as profiles
from portal.sessions.service import TABLES
from portal.settings import PortalSettings
from portal.shell import shell
from relying_party.install import RelyingParty, install
from relying_party.sessions.current import person_language, person_time_zone


def create_app(settings: PortalSettings | None = None) -> Flask:
    """The portal as a WSGI application."""
    settings = settings or PortalSettings()
    app = create_web_app(
        "portal",
        settings=settings,
        public_url=settings.portal_url,
        packages=("relying_party",),
        db=db,
        database_url=settings.database_address,
        person_language=person_language,
        person_time_zone=person_time_zone,
    )
    install(
        app,
        RelyingParty(
            db=db,
            tables=TABLES,
            settings=settings,
            client=settings.client(),
            on_entry=profiles.enter,
        ),
        identity_api=settings.identity_api,
        home="home.page_in_context",
    )
    app.register_blueprint(home.blueprint)
    app.register_blueprint(applications.blueprint)
    app.register_blueprint(accounts.blueprint)
    app.context_processor(shell)
    return app
