"""A program that takes its time, for tests of serving. Started as `python -m` with `klucznik`'s words.

It says on its standard output what happens to it.
"""

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask

from kernel.errors import Misconfigured
from kernel.settings import Settings
from kernel.web import create_app as create_web_app
from klucznik.cli import main
from klucznik.programs import PROGRAMS, Program

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

SECONDS = 1.5


class SlowSettings(Settings):
    """Settings of the slow program."""

    issuer: str = "http://localhost:9000"
    portal_url: str = "http://localhost:9001"
    database_address: str = "sqlite://"


class Worker:
    """Says when it starts and stops."""

    def start(self) -> None:
        _say("worker started")

    def stop(self) -> None:
        _say("worker stopped")


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def create_worker(_app: Flask) -> Worker:
    """The worker of the slow program."""
    return Worker()


def create_app(settings: Settings) -> Flask:
    """Answers `/slow` after a while, before anything else sees the request."""
    if settings.default_locale == "en":
        raise Misconfigured("this program is out of order")
    app = create_web_app("crm", settings=settings, public_url="http://localhost:9001")
    inner = app.wsgi_app

    def slow(environ: dict[str, Any], start: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            _say("slow request")
            time.sleep(SECONDS)
            start("200 OK", [("Content-Length", "8")])
            return [b"finished"]
        return inner(environ, start)

    app.wsgi_app = slow  # type: ignore[assignment, method-assign]
    return app


if __name__ == "__main__":
    PROGRAMS["portal"] = Program(
        name="portal",
        settings="tests.klucznik.slow_program:SlowSettings",
        app="tests.klucznik.slow_program:create_app",
        worker="tests.klucznik.slow_program:create_worker",
        prepare="",
        refusals="",
    )
    main()
