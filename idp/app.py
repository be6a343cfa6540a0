"""The identity program, put together: one line a feature."""

from flask import Flask

import idp.provisioning.api
import idp.security_events.models  # noqa: F401  (tables with which the worker alone works)
import tenants.schema  # noqa: F401  (all tables, whichever features are used)
from consent.oauth import views as oauth_consent
from idp.access import views as access
from idp.account import preferences
from idp.account import views as account
from idp.api_access import keys as keys_of_programs
from idp.api_access import tokens
from idp.authorize import views as authorize
from idp.authorize.consent import AuthorizationQuestions
from idp.contexts import views as contexts
from idp.discovery import views as discovery
from idp.introspection import views as introspection
from idp.invitations import views as invitations
from idp.keys import views as keys
from idp.logout import views as logout
from idp.lost_factors import views as lost_factors
from idp.mailbox import no_mail
from idp.not_me import views as not_me
from idp.recovery import views as recovery
from idp.registration import views as registration
from idp.revocation import views as revocation
from idp.settings import IdentitySettings
from idp.sign_in import views as sign_in
from idp.token import views as token
from idp.userinfo import views as userinfo
from kernel.web import create_app as create_web_app
from tenants.api import views as api
from tenants.database import db


def create_app(settings: IdentitySettings | None = None) -> Flask:
    """The identity program as a WSGI application."""
    settings = settings or IdentitySettings()
    app = create_web_app(
        "idp",
        settings=settings,
        public_url=settings.issuer,
        packages=("tenants", "consent"),
        db=db,
        database_url=settings.database_address,
        person_language=preferences.language,
        save_person_language=preferences.save_language,
        person_time_zone=preferences.time_zone,
    )

    app.register_blueprint(authorize.blueprint)
    app.register_blueprint(contexts.blueprint)
    app.register_blueprint(token.blueprint)
    app.register_blueprint(userinfo.blueprint)
    app.register_blueprint(introspection.blueprint)
    app.register_blueprint(revocation.blueprint)
    app.register_blueprint(logout.blueprint)
    app.register_blueprint(keys.blueprint)
    app.register_blueprint(discovery.blueprint)

    app.register_blueprint(sign_in.blueprint)
    app.register_blueprint(registration.blueprint)
    app.register_blueprint(recovery.blueprint)
    app.register_blueprint(lost_factors.blueprint)
    app.register_blueprint(not_me.blueprint)
    app.register_blueprint(access.blueprint)
    app.register_blueprint(invitations.blueprint)
    app.register_blueprint(account.blueprint)

    no_mail.set_up(app)
    app.register_blueprint(oauth_consent.blueprint)
    oauth_consent.hand_in(app, AuthorizationQuestions())

    api.set_up(app, [tokens.authenticate, keys_of_programs.authenticate])
    return app
