"""The request as our views see it: facts about where it comes from, and no text that bites.

Whatever bytes arrive, a view sees strings that any database and any log can hold.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, cast

import flask
from werkzeug.exceptions import BadRequest, NotFound

from kernel.web.security_headers import ResponsePolicy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_TRUSTED_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_ENCODED_SEPARATORS = re.compile(r"%(?:2f|5c)", re.IGNORECASE)
_LONGEST_USER_AGENT = 512


@dataclass(frozen=True)
class RequestFacts:
    """What the ledger and the logs keep of a request."""

    request_id: str
    address: str | None
    """The client's address, or None when it can't be told: «unknown», never a reason to skip."""
    user_agent: str


@dataclass
class _Notes:
    """What belongs to one request and its response."""

    facts: RequestFacts
    policy: ResponsePolicy = field(default_factory=ResponsePolicy)


class Request(flask.Request):
    """Flask's request, with the facts, and JSON that holds no text which can't be stored."""

    @cached_property
    def notes(self) -> _Notes:
        return _Notes(facts=_read_facts(self.environ, flask.current_app.config["TRUSTED_PROXIES"]))

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        try:
            value = super().get_json(force=force, silent=silent, cache=cache)
        except RecursionError as too_deep:
            if silent:
                return None
            raise BadRequest("The JSON is nested too deeply.") from too_deep
        if not all(_is_storable(text) for text in _texts(value)):
            if silent:
                return None
            raise BadRequest("The JSON holds characters that can't be stored.")
        return value


def current_request() -> Request:
    """The request being answered: itself, for who asks it more than once."""
    return cast("Request", flask.request._get_current_object())  # type: ignore[attr-defined]


def request_facts() -> RequestFacts:
    """Request id, address and browser of the request being answered."""
    return current_request().notes.facts


def refuse_hostile_input() -> None:
    """Answer 400 before any view sees text with NUL or half characters in it."""
    request = current_request()
    raw_path = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if _ENCODED_SEPARATORS.search(raw_path.partition("?")[0]):
        # One address, one meaning: an encoded slash would reach the same view by another name.
        raise NotFound
    if request.environ.get("PATH_INFO", "").startswith("//"):
        # Werkzeug takes leading slashes away before it looks for the view.
        raise NotFound
    if not _is_storable(request.path):
        raise BadRequest("The address holds characters that can't be stored.")
    sent = [request.args.items(multi=True)]
    if request.method in {"POST", "PUT", "PATCH", "DELETE"}:
        sent.append(request.form.items(multi=True))
    if not _is_storable("".join(text for pairs in sent for pair in pairs for text in pair)):
        raise BadRequest("A parameter holds characters that can't be stored.")


class PlainQueryString:
    """WSGI middleware: raw bytes in the query arrive percent-encoded, so that parsing can't fail."""

    def __init__(self, app: "WSGIApplication", scheme: str) -> None:
        self._app = app
        self._scheme = scheme

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():
            environ["QUERY_STRING"] = "".join(
                letter if letter.isascii() else "".join(f"%{byte:02X}" for byte in _bytes(letter))
                for letter in query
            )
        # How we are reached is configured, whatever a proxy in front speaks to us.
        environ["wsgi.url_scheme"] = self._scheme
        return self._app(environ, start_response)


def _bytes(letter: str) -> bytes:
    return letter.encode("latin-1" if ord(letter) < 256 else "utf-8", "replace")


def _read_facts(environ: Mapping[str, Any], trusted_proxies: int) -> RequestFacts:
    return RequestFacts(
        request_id=request_id_of(environ, trusted_proxies),
        address=client_address(
            environ.get("REMOTE_ADDR", ""),
            environ.get("HTTP_X_FORWARDED_FOR", ""),
            trusted_proxies=trusted_proxies,
        ),
        user_agent=_one_line(environ.get("HTTP_USER_AGENT", ""))[:_LONGEST_USER_AGENT],
    )


def request_id_of(environ: Mapping[str, Any], trusted_proxies: int) -> str:
    """The id that a trusted proxy gave the request, or a new one."""
    told = environ.get("HTTP_X_REQUEST_ID", "") if trusted_proxies else ""
    if told and _TRUSTED_REQUEST_ID.fullmatch(told):
        return told
    return secrets.token_hex(8)


def client_address(peer: str, forwarded_for: str, *, trusted_proxies: int) -> str | None:
    """The address of who asks, or None when it can't be told.

    Each proxy appends the address that it saw, so the outermost of ours is so many from the right;
    what stands further left was written by the client and means nothing.

    >>> client_address("192.0.2.1", "1.1.1.1", trusted_proxies=0)
    '192.0.2.1'
    >>> client_address("10.0.0.1", "9.9.9.9, 192.0.2.7", trusted_proxies=1)
    '192.0.2.7'
    >>> client_address("10.0.0.1", "not an address", trusted_proxies=1) is None
    True
    """
    text = peer
    if trusted_proxies:
        hops = forwarded_for.split(",")
        if len(hops) < trusted_proxies:
            return None
        text = hops[-trusted_proxies]
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def network_of(address: str | None) -> str:
    """Whose tries are counted together: an IPv6 customer has 2^64 addresses, and is one place.

    >>> network_of("192.0.2.7"), network_of("2001:db8::7"), network_of(None)
    ('192.0.2.7', '2001:db8::/64', 'unknown')
    """
    if address is None:
        return "unknown"
    return str(ip_network((address, 64), strict=False)) if ":" in address else address


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _is_storable(text: str) -> bool:
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
