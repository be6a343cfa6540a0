from flask import Flask

from consent.oauth import wording
from kernel.i18n import speaking


def test_every_scope_is_said_in_words(identity_app: Flask):
    with identity_app.test_request_context(), speaking("en"):
        lines = wording.lines(("openid", "email", "offline_access", "reports:read"))

    assert [line.scope for line in lines] == ["openid", "email", "offline_access", "reports:read"]
    assert lines[1].text == "See your e-mail address"
    assert "reports:read" in lines[3].text


def test_and_in_polish(identity_app: Flask):
    with identity_app.test_request_context(), speaking("pl"):
        lines = wording.lines(("email",))

    assert lines[0].text == "Poznać Twój adres e-mail"
