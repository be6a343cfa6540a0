"""The program at work: what the code finds of the application that it is running for.

Flask tells by its context. Answers that pass Flask by say it themselves, with `working_for`.
"""

from contextvars import ContextVar
from typing import Any

from flask import Flask, current_app

_told: ContextVar[dict[str, Any] | None] = ContextVar("program_at_work", default=None)


def extensions() -> dict[str, Any]:
    """What the application at work holds for its features; needs its context, or `working_for`."""
    told = _told.get()
    return told if told is not None else current_app.extensions


class working_for:  # noqa: N801 (read as `with working_for(app)`)
    """Work for this application, without a context of Flask's."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __enter__(self) -> None:
        self._token = _told.set(self._app.extensions)

    def __exit__(self, *_: object) -> None:
        _told.reset(self._token)
