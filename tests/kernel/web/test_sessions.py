"""The browser's cookie is Flask's own, made with less work."""

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature

from kernel.web.sessions import BrowserSessions

USUAL = SecureCookieSessionInterface()


def an_app(secret: str = "new", fallbacks: tuple[str, ...] = ()) -> Flask:
    app = Flask("sessions")
    app.config.update(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks))
    return app


def serializer(sessions, app):
    made = sessions.get_signing_serializer(app)
    assert made is not None
    return made


@pytest.mark.security("5.2")
def test_a_cookie_is_read_by_flask_and_flask_s_by_us():
    app = an_app()
    ours, usual = serializer(BrowserSessions(), app), serializer(USUAL, app)

    assert usual.loads(ours.dumps({"browser": "one"})) == {"browser": "one"}
    assert ours.loads(usual.dumps({"browser": "two"})) == {"browser": "two"}


@pytest.mark.security("5.2")
def test_a_cookie_outlives_the_rotation_of_the_secret_and_is_signed_with_the_new_one():
    old, new = an_app("old"), an_app("new", ("old",))
    ours = serializer(BrowserSessions(), new)

    assert ours.loads(serializer(USUAL, old).dumps({"a": 1})) == {"a": 1}
    assert serializer(USUAL, an_app("new")).loads(ours.dumps({"a": 2})) == {"a": 2}


@pytest.mark.security("5.2")
def test_a_cookie_under_another_secret_or_salt_is_nobodys():
    ours = serializer(BrowserSessions(), an_app())
    signed = serializer(BrowserSessions(), an_app("another")).dumps({"a": 1})

    with pytest.raises(BadSignature):
        ours.loads(signed)
    with pytest.raises(BadSignature):
        ours.loads(ours.dumps({"a": 1}, salt="another"))


def test_what_signs_is_made_once():
    sessions, app = BrowserSessions(), an_app()

    assert sessions.get_signing_serializer(app) is sessions.get_signing_serializer(app)


def test_without_a_secret_nothing_is_signed():
    assert BrowserSessions().get_signing_serializer(Flask("sessions")) is None


def test_a_cookie_that_is_not_changed_is_not_given_again():
    app = an_app()
    app.session_interface = BrowserSessions()

    @app.get("/<what>")
    def answer(what: str) -> str:
        if what == "write":
            session["browser"] = "one"
        return str(session.get("browser"))

    client = app.test_client()
    first, again = client.get("/write"), client.get("/read")

    assert "Set-Cookie" in first.headers
    assert again.text == "one"
    assert "Set-Cookie" not in again.headers
    assert again.headers["Vary"] == "Cookie"
