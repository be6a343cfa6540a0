"""The program at work: what the code finds of the application that it is running for.

Flask tells by its context. Answers that pass Flask by say it themselves, with `working_for`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask, current_app

_told: ContextVar[dict[str, Any] | None] = ContextVar("program_at_work", default=None)


def extensions() -> dict[str, Any]:
    """What the application at work holds for its features; needs its context, or `working_for`."""
    told = _told.get()
    return told if told is not None else current_app.extensions


@contextmanager
def working_for(app: Flask) -> Iterator[None]:
    """Work for this application, without a context of Flask's."""
    token = _told.set(app.extensions)
    try:
        yield
    finally:
        _told.reset(token)
