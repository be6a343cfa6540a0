"""The Flask application that all programs start from, in the order in which a request meets it."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

import flask
from flask import Flask, current_app, g
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import NotFound
from werkzeug.routing import MapAdapter

from kernel import brand
from kernel.database import Database
from kernel.i18n import LANGUAGE_COOKIE, current_language, set_up_languages
from kernel.i18n.catalogs import package_folder
from kernel.observability import request_log
from kernel.observability.logs import bind_request, configure_logging, forget_request, get_logger
from kernel.observability.metrics import count_request
from kernel.settings import Settings
from kernel.web import reports
from kernel.web.access import requirement_of
from kernel.web.assets import set_up_assets
from kernel.web.cookies import cookie_name, origin_of
from kernel.web.csrf import refuse_forged_posts, set_up_csrf
from kernel.web.errors import register_error_handlers
from kernel.web.fast_path import fail_as_before
from kernel.web.health import set_up_health
from kernel.web.hosts import refuse_unknown_hosts
from kernel.web.origin import Origin
from kernel.web.policy import no_referrer
from kernel.web.preferences import set_up_preferences
from kernel.web.printed import set_up_printing
from kernel.web.requests import (
    PlainQueryString,
    Request,
    current_request,
    refuse_hostile_input,
)
from kernel.web.responses import Response
from kernel.web.security_headers import add_security_headers
from kernel.web.sessions import BrowserSessions
from kernel.web.shell import set_up_shell
from kernel.web.templates import PageTemplates, known_to

log = get_logger(__name__)

_LARGEST_BODY = 1_000_000
_MOST_FIELDS = 500
_SETTINGS = "klucznik.settings"


def create_app(
    name: str,
    *,
    settings: Settings,
    public_url: str,
    packages: Sequence[str] = (),
    db: Database | None = None,
    database_url: str | None = None,
    known_hosts: Sequence[str] = (),
    person_language: Callable[[], str | None] | None = None,
    save_person_language: Callable[[str], None] | None = None,
    person_time_zone: Callable[[], str | None] | None = None,
) -> Flask:
    """A program with everything that a page needs, and no page of its own yet.

    `packages` bring templates, static files and translations; the program's own is added. Links are
    built from `public_url`, and no other `Host` is answered, but for `known_hosts`.
    """
    origin = Origin.of(public_url)
    packages = tuple(dict.fromkeys(["kernel", *packages, name]))
    app = _Program(name, static_folder=None, template_folder=None)
    app.session_interface = BrowserSessions(_browser_cookie(name))
    app.extensions[_SETTINGS] = settings
    app.extensions["klucznik.origin"] = origin
    _configure(app, settings, origin, known_hosts)
    configure_logging(settings.log_level, program=name)

    _set_up_templates(app, packages)
    set_up_csrf(app, settings.signing_secrets())
    set_up_languages(
        app,
        packages,
        cookie=cookie_name(LANGUAGE_COOKIE, origin),
        default=settings.default_locale,
        person_language=person_language,
        person_comes_first=save_person_language is not None,
        person_time_zone=person_time_zone,
    )
    set_up_assets(app, packages)
    set_up_preferences(app, save_person_language)
    set_up_shell(app)
    set_up_printing(app)
    health = set_up_health(app)
    app.register_blueprint(reports.blueprint)
    register_error_handlers(app)
    if db is not None:
        if database_url is not None:
            db.attach(app, database_url, pool_size=settings.database_pool)
        health.add("database", db.is_reachable)

    app.before_request(_begin)
    app.after_request(_complete)
    app.teardown_request(_end)
    app.wsgi_app = PlainQueryString(app.wsgi_app, origin.scheme)  # type: ignore[method-assign]
    return app


class _Program(Flask):
    """Flask, with our own requests, responses, sessions and templates."""

    request_class = Request
    response_class = Response
    jinja_environment = PageTemplates

    def create_url_adapter(self, request: flask.Request | None) -> MapAdapter | None:
        """As Flask's. There is one address, so what looks up views and writes links is simple."""
        if request is None:
            return self._links
        environ = request.environ
        host = environ.get("HTTP_HOST", "").lower()
        if host not in self.config["KNOWN_HOSTS"] or "HTTP_UPGRADE" in environ:
            return super().create_url_adapter(request)
        return MapAdapter(
            self.url_map,
            self.config["SERVER_NAME"],
            script_name=f"{request.root_path}/",
            subdomain="",
            url_scheme=environ["wsgi.url_scheme"],
            path_info=request.path,
            default_method=request.method,
            query_args=request.query_string.decode("latin-1"),
        )

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view and no hook is a coroutine (tests/architecture), so nobody needs to look."""
        return func

    @cached_property
    def _links(self) -> MapAdapter | None:
        return super().create_url_adapter(None)


def settings_of(app: Flask) -> Settings:
    """The settings that the program was started with."""
    settings: Settings = app.extensions[_SETTINGS]
    return settings


def _browser_cookie(program: str) -> str:
    return f"klucznik_{program}_browser"


def _configure(app: Flask, settings: Settings, origin: Origin, known_hosts: Sequence[str]) -> None:
    secrets = settings.signing_secrets()
    app.config.update(
        SECRET_KEY=secrets[0],
        SECRET_KEY_FALLBACKS=secrets[1:],
        SESSION_COOKIE_NAME=cookie_name(_browser_cookie(app.name), origin),
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=origin.is_secure,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=1),
        MAX_CONTENT_LENGTH=_LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=_LARGEST_BODY,
        MAX_FORM_PARTS=_MOST_FIELDS,
        # Also for links that a worker writes; which hosts are answered is `KNOWN_HOSTS`.
        SERVER_NAME=origin.netloc,
        PREFERRED_URL_SCHEME=origin.scheme,
        TRUSTED_PROXIES=settings.trusted_proxies,
        KNOWN_HOSTS=frozenset(
            host.lower() for host in (origin.netloc, f"{origin.host}:{origin.port}", *known_hosts)
        ),
    )
    # One address, one meaning: no second slash, and no redirect that adds one.
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False


def _set_up_templates(app: Flask, packages: Sequence[str]) -> None:
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(package_folder(package) / "templates") for package in packages]
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.autoescape = True
    app.jinja_env.globals.update(
        brand_name=brand.NAME, current_language=current_language, no_referrer=no_referrer
    )
    known_to(app).update(current_language=current_language)


def _begin() -> None:
    """What every request passes before its view, cheapest first."""
    asked = current_request()
    asked.environ["klucznik.started"] = time.perf_counter()
    bind_request(request_id=asked.notes.facts.request_id)
    fail_as_before()
    refuse_unknown_hosts()
    refuse_hostile_input()
    _refuse_undeclared_views(asked.endpoint)
    refuse_forged_posts()


def _refuse_undeclared_views(endpoint: str | None) -> None:
    """A view that doesn't say who may use it can't be used."""
    if endpoint is None:
        return
    if requirement_of(current_app.view_functions[endpoint]) is None:
        log.error("view_undeclared", endpoint=endpoint)
        raise NotFound


def _complete(response: Response) -> Response:
    asked = current_request()
    notes = asked.notes
    if 300 <= response.status_code < 400:
        notes.policy.referrer = "no-referrer"
        if asked.method == "POST":
            # What was posted (a password) is never posted on, as 307 and 308 would (RFC 9700 §4.12).
            response.status_code = 303
    add_security_headers(response, notes.policy, origin_of(current_app))
    response.headers.add("X-Request-ID", notes.facts.request_id)
    _report(asked, response)
    return response


def _report(asked: Request, response: Response) -> None:
    started = asked.environ.get("klucznik.started")
    seconds = time.perf_counter() - started if started is not None else 0.0
    program = current_app.name
    route = asked.url_rule.rule if asked.url_rule is not None else "unknown"
    status = response.status_code
    count_request(program=program, route=route, method=asked.method, status=status, seconds=seconds)
    if asked.blueprint not in {"static_files", "health"}:
        request_log.write(
            program=program,
            request_id=asked.notes.facts.request_id,
            method=asked.method,
            route=route,
            status=status,
            seconds=seconds,
        )


def _end(_: BaseException | None) -> None:
    forget_request()
    # A shell or a test may keep one application context open over several requests.
    for name in ("csrf_token", "csrf_valid", "_flask_babel"):
        g.pop(name, None)
