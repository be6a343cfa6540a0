"""The browser's cookie is Flask's own, made with less work."""

from typing import Any

import pytest
from flask import Flask, flash, session
from flask.sessions import SecureCookieSessionInterface

from kernel.web import public
from kernel.web.sessions import BrowserSessions
from tests.kernel.web.a_program import SECURE, a_program

COOKIE = "klucznik_kernel_browser"


class Program:
    """A program that keeps what it is told, with our sessions or with Flask's."""

    def __init__(self, *, usual: bool = False, **options: Any) -> None:
        self.app = a_program(**options)
        if usual:
            self.app.session_interface = SecureCookieSessionInterface()

        @self.app.get("/keep/<what>")
        @public
        def keep(what: str) -> str:
            session["kept"] = what
            return ""

        @self.app.get("/flash")
        @public
        def say() -> str:
            flash("said", "warning")
            return ""

        @self.app.get("/clear")
        @public
        def clear() -> str:
            session.clear()
            return ""

        @self.app.get("/kept")
        @public
        def kept() -> dict[str, Any]:
            return dict(session)

        self.client = self.app.test_client()

    def cookie(self) -> str:
        cookie = self.client.get_cookie(COOKIE)
        assert cookie is not None
        return cookie.value

    def kept_of(self, cookie: str) -> Any:
        self.client.set_cookie(COOKIE, cookie)
        return self.client.get("/kept").get_json()


@pytest.mark.security("5.2")
@pytest.mark.parametrize("path", ["/keep/short", f"/keep/{'long' * 300}", "/keep/ż", "/flash"])
def test_a_cookie_is_read_by_flask_and_flasks_by_us(path: str):
    for writer, reader in ((Program(), Program(usual=True)), (Program(usual=True), Program())):
        writer.client.get(path)

        assert reader.kept_of(writer.cookie()) == writer.client.get("/kept").get_json() != {}


@pytest.mark.security("5.2")
@pytest.mark.parametrize("options", [{}, {"public_url": SECURE}])
def test_the_answer_that_gives_it_is_flasks(options: dict[str, Any], monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.5)
    given = [
        Program(usual=usual, **options).client.get("/keep/this").headers["Set-Cookie"]
        for usual in (False, True)
    ]

    assert given[0] == given[1]


@pytest.mark.security("5.2", "5.8")
def test_a_cookie_outlives_the_rotation_of_the_secret():
    old, new = "old secret, long enough for a test", "new secret, long enough for a test"
    before = Program(settings_={"secret_keys": old})
    before.client.get("/keep/this")
    after = Program(settings_={"secret_keys": f"{new},{old}"})

    assert after.kept_of(before.cookie()) == {"kept": "this"}

    after.client.get("/keep/that")
    assert Program(settings_={"secret_keys": new}).kept_of(after.cookie()) == {"kept": "that"}


@pytest.mark.security("5.2")
def test_a_cookie_that_nobody_here_signed_is_nobodys():
    here = Program()
    here.client.get("/keep/this")
    mine = here.cookie()
    signed, _, signature = mine.rpartition(".")

    for cookie in (f"{signed}x.{signature}", f"{mine}x", signed, "", ".", "a.b.c", "ż", f".{mine}"):
        assert here.kept_of(cookie) == {}


def test_a_cookie_that_is_not_changed_is_not_given_again():
    here = Program()

    first, again = here.client.get("/keep/this"), here.client.get("/kept")

    assert "Set-Cookie" in first.headers
    assert "Set-Cookie" not in again.headers
    assert again.headers["Vary"] == "Cookie"


def test_a_session_that_is_emptied_is_taken_from_the_browser():
    here = Program()
    here.client.get("/keep/this")

    assert "Max-Age=0" in here.client.get("/clear").headers["Set-Cookie"]


def test_without_a_secret_nothing_is_kept():
    app = Flask("sessions")

    assert BrowserSessions("browser").open_session(app, app.request_class({})) is None
