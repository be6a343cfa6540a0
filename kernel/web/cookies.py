"""Cookies: named so that neighbours on one machine don't meet, locked as far as the address allows.

On https a cookie is `Secure` and carries the `__Host-` prefix, which ties it to this very host. On
plain http, which is for loopback alone, browsers would refuse both.
"""

from datetime import timedelta

from flask import Flask, current_app, request
from werkzeug import Response

from kernel.web.origin import Origin


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
    response.set_cookie(
        cookie_name(name, origin),
        value,
        max_age=lifetime,
        path="/",
        secure=origin.is_secure,
        httponly=not readable_by_scripts,
        samesite="Lax",
    )


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
