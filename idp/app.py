"""The identity program, put together: one line a feature."""

from flask import Flask

from idp.settings import IdentitySettings
from kernel.web import create_app as create_web_app
from tenants.database import db


def create_app(settings: IdentitySettings | None = None) -> Flask:
    """The identity program as a WSGI application."""
    settings = settings or IdentitySettings()
    return create_web_app(
        "idp",
        settings=settings,
        public_url=settings.issuer,
        packages=("tenants", "consent"),
        db=db,
        database_url=settings.database_address,
    )
