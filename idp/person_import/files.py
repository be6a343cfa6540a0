"""Reading a file of people, one row at a time: a file of any size takes the same memory."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from kernel.errors import KlucznikError

FIELDS = (
    *("email", "password_hash", "email_verified", "given_name", "family_name"),
    *("phone", "locale", "zoneinfo"),
)
_LONGEST_LINE = 1024 * 1024
_SEPARATORS = ",;\t"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class NotReadable(KlucznikError):
    """The file can't be read (on): the detail says where and why, and quotes nothing of it."""


@dataclass(frozen=True)
class Row:
    """What one row says, as it stands in the file; `problem` where the row itself is broken."""

    line: int
    fields: Mapping[str, object]
    problem: str | None = None


class PeopleFile:
    """The rows of a file, and how far it was read.

    `ignored` has the names of columns that mean nothing here; in JSON Lines, those met so far.
    """

    def __init__(self, stream: BinaryIO, format_: Format) -> None:
        self._stream = stream
        self._format = format_
        self.bytes_read = 0
        self.line = 0
        self.ignored: set[str] = set()

    def __iter__(self) -> Iterator[Row]:
        rows = self._csv_rows() if self._format is Format.CSV else self._json_rows()
        try:
            yield from rows
        except csv.Error as broken:
            raise NotReadable(f"line {self.line}: a quotation mark is missing, or too much") from (
                broken
            )

    def _csv_rows(self) -> Iterator[Row]:
        lines = self._lines()
        first = next(lines, None)
        if first is None or not first.strip():
            raise NotReadable("line 1: there is no header")
        separator = max(_SEPARATORS, key=first.count)
        header = [name.strip().lower() for name in next(csv.reader([first], delimiter=separator))]
        self._check(header)
        reader = csv.reader(lines, delimiter=separator)
        while True:
            begins = self.line + 1
            cells = next(reader, None)
            if cells is None:
                return
            if not any(cells):
                continue
            if len(cells) != len(header):
                yield Row(begins, {}, f"{len(cells)} cells under {len(header)} column names")
                continue
            fields = dict(zip(header, cells, strict=True))
            yield Row(begins, {name: fields[name] for name in FIELDS if name in fields})

    def _check(self, header: list[str]) -> None:
        if "email" not in header:
            raise NotReadable(f"line 1: no column is called email; known are {', '.join(FIELDS)}")
        if len(set(header)) != len(header):
            raise NotReadable("line 1: two columns have the same name")
        self.ignored.update(name for name in header if name and name not in FIELDS)

    def _json_rows(self) -> Iterator[Row]:
        for text in self._lines():
            if not text.strip():
                continue
            try:
                said = json.loads(text)
            except (ValueError, RecursionError):
                said = None
            if not isinstance(said, dict):
                yield Row(self.line, {}, "not a JSON object")
                continue
            self.ignored.update(name[:100] for name in said if name not in FIELDS)
            yield Row(self.line, {name: said[name] for name in FIELDS if name in said})

    def _lines(self) -> Iterator[str]:
        while line := self._stream.readline(_LONGEST_LINE + 1):
            self.line += 1
            self.bytes_read += len(line)
            if self.line == 1:
                if line.startswith(_UTF16_MARKS):
                    raise NotReadable("the file is in UTF-16; save it as UTF-8")
                line = line.removeprefix(_BYTE_ORDER_MARK)
            if len(line) > _LONGEST_LINE:
                raise NotReadable(f"line {self.line} is longer than a megabyte")
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as wrong:
                raise NotReadable(f"line {self.line} is not UTF-8; save the file as UTF-8") from (
                    wrong
                )
