"""Tables for spreadsheets: CSV in which no cell is ever computed (SECURITY 15.6)."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_STARTS_A_FORMULA = frozenset("=+-@\t\r\0")
# Spreadsheets skip what can't be seen before they look whether a cell is a formula.
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def harmless(cell: object) -> str:
    """The cell as a text that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless(" \\u200b@SUM(A1)"), harmless("Dom"), harmless(None)
    ("'=1+1", "' \\u200b@SUM(A1)", 'Dom', '')
    """
    text = "" if cell is None else str(cell)
    for character in text:
        if character in _STARTS_A_FORMULA:
            return f"'{text}"
        if unicodedata.category(character) not in _UNSEEN:
            break
    return text


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A CSV document, line by line, as RFC 4180 has it; the first line names the columns."""
    yield _line(columns)
    for cells in rows:
        yield _line(cells)


def _line(cells: Sequence[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([harmless(cell) for cell in cells])
    return written.getvalue()
