"""Redirects to addresses that others registered: nothing in them is made nicer."""

from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlencode

from flask import Response
from werkzeug.exceptions import RequestEntityTooLarge

# An ID token as a hint, escaped, and all the rest; servers take no longer addresses anyway.
_LONGEST_QUERY = 40_000


def redirect_exactly(url: str) -> Response:
    """A redirect whose address stays as it is, byte for byte."""
    response = Response(status=303)
    # Werkzeug would make the address absolute and normal; a registered one is neither our business.
    response.autocorrect_location_header = False
    response.headers["Location"] = url
    return response


def as_a_query(path: str, fields: Iterable[tuple[str, str]]) -> Response:
    """Send the browser round once more, with the fields of a form in the address of a page."""
    query = urlencode(list(fields), quote_via=quote)
    if len(query) > _LONGEST_QUERY:
        raise RequestEntityTooLarge
    return redirect_exactly(f"{path}?{query}")


def add_to_query(uri: str, fields: Sequence[tuple[str, str]]) -> str:
    """The address with more parameters; those that it has stay as they are.

    >>> add_to_query("https://a.example/cb?x=%20", [("state", "a b&c")])
    'https://a.example/cb?x=%20&state=a%20b%26c'
    """
    added = urlencode(fields, quote_via=quote, safe="")
    separator = "&" if uri.partition("?")[2] else ("" if uri.endswith("?") else "?")
    return f"{uri}{separator}{added}"
