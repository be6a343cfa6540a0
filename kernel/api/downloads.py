"""Answers that are long, and written while they are read: a file in the form that the asker wants."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from flask import Response, stream_with_context
from werkzeug.datastructures import MIMEAccept

from kernel.errors import Refused

# Lines go out together: a piece each would cost more than what it carries.
_PIECE = 32_768


class Form(NamedTuple):
    """How a file is written."""

    word: str
    """What a query calls it, and how the file's name ends."""
    mimetype: str


JSON_LINES = Form("jsonl", "application/x-ndjson")
CSV = Form("csv", "text/csv")

Lines = Callable[[], Iterator[str]]


class NotInThisForm(Refused):
    """The answer has none of the forms that the header Accept names."""

    status = 406
    reason = "not_acceptable"


@dataclass(frozen=True)
class Download:
    """A file that an operation answers. Nothing is read before it is clear in which form."""

    name: str
    """Without the ending, in plain ASCII."""
    forms: Mapping[Form, Lines]
    """The first is for whoever takes any. What may fail, fails when it is called, before the answer."""
    wanted: str | None = None
    """The word of a form that was asked for by the query; what Accept says counts no more."""


def respond(download: Download, *, accept: MIMEAccept) -> Response:
    """The file, a piece at a time; raises NotInThisForm."""
    form = _chosen(download, accept)
    lines = download.forms[form]()
    response = Response(stream_with_context(_pieces(lines)), mimetype=form.mimetype)
    name = f"{download.name}.{form.word}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Vary"] = "Accept"
    return response


def _chosen(download: Download, accept: MIMEAccept) -> Form:
    for form in download.forms:
        if form.word == download.wanted:
            return form
    if not accept:
        return next(iter(download.forms))
    best = accept.best_match([form.mimetype for form in download.forms])
    for form in download.forms:
        if form.mimetype == best:
            return form
    raise NotInThisForm


def _pieces(lines: Iterable[str]) -> Iterator[bytes]:
    waiting, size = [], 0
    for line in lines:
        waiting.append(line.encode())
        size += len(waiting[-1])
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
