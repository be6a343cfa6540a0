"""Structured logs: one JSON object a line, a static event name and fields, and never a secret.

    log = get_logger(__name__)
    log.info("mail_sent", lane="security", tries=2)

The event is a fixed word; what varies goes into fields. Fields whose names sound like secrets lose
their values here, as a second wall: callers should not pass them at all.
"""

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from kernel.observability.structured import EventDict, Processor, WrappedLogger, structlog

if TYPE_CHECKING:
    import threading

HIDDEN = "[hidden]"
_SENSITIVE = re.compile(
    r"passw|secret|token|cookie|authorization|assertion|credential|private|otp|totp|pin\b|"
    r"api_?key|csrf|session_id|signature|query|code_verifier|recovery|(?:^|_)ur[il]s?(?:$|_)",
    re.IGNORECASE,
)
_SENSITIVE_WHOLE = frozenset({"code", "state", "nonce", "key", "hash", "body", "form", "headers"})
# Names that only sound like secrets.
_HARMLESS = frozenset({"event", "token_type", "key_id", "status_code"})
# They write tokens, statements with values or whole requests at lower levels.
_TOO_TALKATIVE = (
    "alembic",
    "authlib",
    "sqlalchemy",
    "urllib3",
    "werkzeug",
    "asyncio",
    "requests",
    "_granian",
)
_LONGEST_VALUE = 2_000
_DEEPEST = 6

_NO_FIELDS: Mapping[str, str] = {}
_of_request: ContextVar[Mapping[str, str]] = ContextVar("of_request", default=_NO_FIELDS)


class _StandardOutput(logging.Handler):
    """Writes to whatever stdout is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            write_line(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


_output = _StandardOutput()


def write_line(line: str, /) -> None:
    """Write a finished line. A log that can't be written to stops nobody's request."""
    with cast("threading.RLock", _output.lock):
        try:
            sys.stdout.write(line)
            sys.stdout.flush()
        except (OSError, ValueError):
            return


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module."""
    return structlog.stdlib.get_logger(name)


def configure_logging(level: str = "info", *, program: str = "") -> None:
    """Send everything, our own events and those of libraries, to stdout as JSON lines."""
    shared = _processors(program)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    )
    root = logging.getLogger()
    root.addHandler(_output)
    root.setLevel(level.upper())
    for name in _TOO_TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def is_configured() -> bool:
    """Whether what is logged is written."""
    return _output in logging.getLogger().handlers


def bind_request(**fields: str) -> None:
    """Add fields to everything that is logged while this request is answered."""
    _of_request.set(fields)


def forget_request() -> None:
    """Drop what `bind_request` added: threads are used again."""
    _of_request.set(_NO_FIELDS)


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop the values of fields that sound like secrets, at any depth.

    >>> hide_secrets(None, "info", {"event": "x", "client_secret": "s3cret", "tries": 2})
    {'event': 'x', 'client_secret': '[hidden]', 'tries': 2}
    """
    return cast("EventDict", _scrub_mapping(event, depth=0))


def _scrub_mapping(mapping: Any, *, depth: int) -> dict[Any, Any]:
    return {
        name: HIDDEN if sounds_secret(str(name)) and value else _scrub(value, depth=depth + 1)
        for name, value in mapping.items()
    }


def _scrub(value: Any, *, depth: int) -> Any:
    if depth > _DEEPEST:
        return HIDDEN
    if isinstance(value, dict):
        return _scrub_mapping(value, depth=depth)
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrub(item, depth=depth + 1) for item in value]
    if isinstance(value, bytes):
        return HIDDEN
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return value[:_LONGEST_VALUE] + "…"
    return value


@lru_cache(maxsize=1_000)
def sounds_secret(name: str) -> bool:
    """Whether a field of this name may hold what must not be written down.

    >>> sounds_secret("refresh_token"), sounds_secret("request_id"), sounds_secret("code")
    (True, False, True)
    """
    lowered = name.lower()
    if lowered in _HARMLESS or lowered.startswith("_"):
        return False
    return lowered in _SENSITIVE_WHOLE or _SENSITIVE.search(lowered) is not None


def encode_controls(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Write control characters as escapes, so that no value can forge a line or steer a terminal."""
    return {name: _printable(value) for name, value in event.items()}


def _printable(value: Any) -> Any:
    if isinstance(value, str) and not value.isprintable():
        return "".join(
            letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
            for letter in value
        )
    if isinstance(value, dict):
        return {name: _printable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value


def drop_messages_with_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep where an exception happened and drop its words: they may quote what was sent.

    SQLAlchemy's messages carry statement and parameters, validation errors the input.
    """
    failure = event.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()[1]
    elif isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        event["exception"] = describe_exception(failure)
    return event


def describe_exception(failure: BaseException) -> list[str]:
    """Type and places of an exception and its causes, innermost place last, without its message."""
    lines: list[str] = []
    current: BaseException | None = failure
    seen = 0
    while current is not None and seen < 5:
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        trace = current.__traceback__
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(
                f"  {code.co_filename.rpartition('site-packages/')[2]}:{trace.tb_lineno} {code.co_name}"
            )
            trace = trace.tb_next
        lines.extend(places[-20:])
        current = current.__cause__ or current.__context__
        seen += 1
    return lines


def _add_fields_of_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {**_of_request.get(), **event}


def _processors(program: str) -> list[Processor]:
    def add_program(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if program:
            event["program"] = program
        return event

    return [
        _add_fields_of_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_program,
        drop_messages_with_values,
        hide_secrets,
        encode_controls,
    ]
