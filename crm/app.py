"""The CRM, put together: one line a feature."""

from flask import Flask

from crm.dashboard import views as dashboard
from crm.database import db
from crm.sessions.service import TABLES
from crm.settings import CrmSettings
from crm.shell import shell
from kernel.web import create_app as create_web_app
from relying_party.install import RelyingParty, install
from relying_party.sessions.current import person_language, person_time_zone


def create_app(settings: CrmSettings | None = None) -> Flask:
    """The CRM as a WSGI application."""
    settings = settings or CrmSettings()
    app = create_web_app(
        "crm",
        settings=settings,
        public_url=settings.crm_url,
        packages=("relying_party",),
        db=db,
        database_url=settings.database_address,
        person_language=person_language,
        person_time_zone=person_time_zone,
    )
    install(
        app,
        RelyingParty(db=db, tables=TABLES, settings=settings, client=settings.client()),
        identity_api=settings.identity_api,
        home="dashboard.page",
    )
    app.register_blueprint(dashboard.blueprint)
    app.context_processor(shell)
    return app
