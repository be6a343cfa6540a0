"""Cookies: named so that neighbours on one machine don't meet, locked as far as the address allows.

On https a cookie is `Secure` and carries the `__Host-` prefix, which ties it to this very host. On
plain http, which is for loopback alone, browsers would refuse both.
"""

import re
from datetime import timedelta
from functools import lru_cache

from flask import Flask, current_app, request
from werkzeug import Response
from werkzeug.http import dump_cookie

from kernel.web.origin import Origin

# What stands in a cookie as it is, and is no danger to its length.
_PLAIN = re.compile(r"[\w.-]{1,2000}", re.ASCII)


def cookie_name(name: str, origin: Origin) -> str:
    """The name as the browser knows it.

    >>> cookie_name("klucznik_session", Origin.of("https://id.example.pl"))
    '__Host-klucznik_session'
    >>> cookie_name("klucznik_session", Origin.of("http://localhost:9000"))
    'klucznik_session'
    """
    return f"__Host-{name}" if origin.is_secure else name


def set_cookie(
    response: Response,
    name: str,
    value: str,
    *,
    lifetime: timedelta | None = None,
    readable_by_scripts: bool = False,
) -> None:
    """Give the browser a cookie; without a lifetime it goes when the browser closes."""
    origin = origin_of(current_app)
    if lifetime is None and not readable_by_scripts and _PLAIN.fullmatch(value):
        cookie = f"{cookie_name(name, origin)}={value}{_rest(secure=origin.is_secure)}"
        response.headers.add("Set-Cookie", cookie)
        return
    response.set_cookie(
        cookie_name(name, origin),
        value,
        max_age=lifetime,
        path="/",
        secure=origin.is_secure,
        httponly=not readable_by_scripts,
        samesite="Lax",
    )


@lru_cache(maxsize=2)
def _rest(*, secure: bool) -> str:
    """What Werkzeug writes behind the value of a cookie that goes with the browser."""
    whole = dump_cookie("a", "b", path="/", secure=secure, httponly=True, samesite="Lax")
    return whole.removeprefix("a=b")


def read_cookie(name: str) -> str | None:
    """The value that the browser sent, or None."""
    return request.cookies.get(cookie_name(name, origin_of(current_app)))


def delete_cookie(response: Response, name: str) -> None:
    """Take a cookie away."""
    origin = origin_of(current_app)
    response.delete_cookie(
        cookie_name(name, origin),
        path="/",
        secure=origin.is_secure,
        httponly=True,
        samesite="Lax",
    )


def origin_of(app: Flask) -> Origin:
    """The configured public address of the program."""
    origin: Origin = app.extensions["klucznik.origin"]
    return origin
