"""The pages of the first access."""

from flask import Blueprint

from idp.access import models

blueprint = Blueprint("access", __name__)
__all__ = ["blueprint", "models"]
