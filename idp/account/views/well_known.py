"""Where password managers find the pages on which passwords and passkeys are changed."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from idp.account.pages import blueprint
from kernel.web import public, public_url


@blueprint.get("/.well-known/change-password")
@public
def where_passwords_change() -> ResponseReturnValue:
    """Lead to the page (W3C, A Well-Known URL for Changing Passwords)."""
    return redirect(url_for("account.password"), 303)


@blueprint.get("/.well-known/passkey-endpoints")
@public
def where_passkeys_change() -> ResponseReturnValue:
    """Name the pages (W3C, A Well-Known URL for Relying Party Passkey Endpoints)."""
    return {
        "enroll": public_url("account.new_passkey"),
        "manage": public_url("account.passkeys"),
    }
