"""Debian's mod_auth_openidc puts a page behind our sign-in."""

import pytest

from tests.independent_clients.apache import protected_page
from tests.installation import Installation
from tests.visitor import Visitor


@pytest.mark.product("OP-1")
def test_a_page_behind_apache_is_signed_in_to_and_out_of(
    running: Installation, application_port: int
):
    here = f"http://localhost:{application_port}"
    redirect_uri = f"{here}/protected/answer"
    registered = running.answer(
        *("client", "create", "--name", "A page behind Apache", "--first-party"),
        *("--redirect-uri", redirect_uri, "--post-logout-redirect-uri", f"{here}/"),
        *("--id-token-alg", "RS256"),
    )
    person = running.answer("demo")["people"][1]
    visitor = Visitor()

    with protected_page(
        port=application_port,
        issuer=running.identity,
        client_id=registered["client_id"],
        client_secret=registered["client_secret"],
        redirect_uri=redirect_uri,
    ):
        asked = visitor.open(f"{here}/protected/")
        inside = visitor.sign_in(
            asked,
            email=person["email"],
            password=person["password"],
            totp_secret=person["totp_secret"],
        )
        again = visitor.open(f"{here}/protected/")
        outside = visitor.open(f"{redirect_uri}?logout={here}/")
        asked_again = visitor.open(f"{here}/protected/")

    assert asked.url.startswith(running.identity)
    assert inside.url == f"{here}/protected/"
    assert "A secret page." in inside.text
    assert inside.headers["X-Signed-In"] == person["email"]
    assert "A secret page." in again.text
    assert outside.url == f"{here}/"
    assert "Everybody may read this." in outside.text
    assert asked_again.form_with("email")


@pytest.mark.product("OP-1")
@pytest.mark.security("9.2")
def test_signing_out_at_the_identity_program_ends_the_session_at_apache(
    running: Installation, application_port: int
):
    here = f"http://localhost:{application_port}"
    redirect_uri = f"{here}/protected/answer"
    registered = running.answer(
        *("client", "create", "--name", "Another page behind Apache", "--first-party"),
        *("--redirect-uri", redirect_uri, "--id-token-alg", "RS256"),
        *("--backchannel-logout-uri", f"{redirect_uri}?logout=backchannel"),
    )
    person = running.answer("demo")["people"][2]
    visitor = Visitor()

    with protected_page(
        port=application_port,
        issuer=running.identity,
        client_id=registered["client_id"],
        client_secret=registered["client_secret"],
        redirect_uri=redirect_uri,
    ):
        inside = visitor.sign_in(
            visitor.open(f"{here}/protected/"),
            email=person["email"],
            password=person["password"],
            mailbox=running.mailbox,
        )
        security = visitor.open(f"{running.identity}/account/security")
        sign_out = next(form for form in security.forms if form.action.endswith("/sign-out"))
        visitor.submit(security, sign_out)
        after = visitor.wait_until(
            f"{here}/protected/", lambda page: page.url.startswith(running.identity)
        )

    assert "A secret page." in inside.text
    assert after.form_with("email")
