"""The identity program for the length of a command: settings read, database at hand, not served."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from idp.app import create_app
from idp.settings import IdentitySettings
from kernel.errors import Misconfigured
from kernel.observability.logs import configure_logging

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


def in_application(command: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Run a command inside the identity program's application context."""

    @wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        app = create_app(IdentitySettings())
        # What a command says is its output; only trouble is logged beside it.
        configure_logging("warning", program="klucznik")
        with app.app_context():
            try:
                return command(*args, **kwargs)
            except DBAPIError as failure:
                raise Misconfigured(
                    f"the database can't be used ({type(failure.orig).__name__}); "
                    "see klucznik db status"
                ) from failure

    return run
