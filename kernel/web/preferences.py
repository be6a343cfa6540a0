"""Language, theme and the folded sidebar: chosen at the foot of a page, kept in this browser."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Flask, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug import Response

from kernel.i18n import LANGUAGE_COOKIE, LANGUAGES
from kernel.web.access import public
from kernel.web.cookies import delete_cookie, read_cookie, set_cookie
from kernel.web.returns import is_own_path, own_path

blueprint = Blueprint("preferences", __name__)

THEMES = ("auto", "light", "dark")
SIDEBARS = ("wide", "folded")
_THEME_COOKIE = "klucznik_theme"
_SIDEBAR_COOKIE = "klucznik_sidebar"
_EXTENSION = "klucznik.save_person_language"
_LIFETIME = timedelta(days=365)


def set_up_preferences(app: Flask, save_person_language: Callable[[str], None] | None) -> None:
    """Let people choose; a signed-in person's language is also kept by the program, where it can."""
    app.extensions[_EXTENSION] = save_person_language
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        current_theme=current_theme,
        sidebar_is_folded=sidebar_is_folded,
        this_page=this_page,
        languages=LANGUAGES,
    )


@blueprint.post("/preferences")
@public
def choose() -> ResponseReturnValue:
    """Keep what was chosen and go back to the page."""
    response = redirect(own_path(request.form.get("next")), code=303)
    language = request.form.get("language")
    if language in LANGUAGES:
        remember_language(response, language)
        save: Callable[[str], None] | None = current_app.extensions[_EXTENSION]
        if save is not None:
            save(language)
    theme = request.form.get("theme")
    if theme == "auto":
        delete_cookie(response, _THEME_COOKIE)
    elif theme in THEMES:
        set_cookie(response, _THEME_COOKIE, theme, lifetime=_LIFETIME)
    sidebar = request.form.get("sidebar")
    if sidebar in SIDEBARS:
        set_cookie(response, _SIDEBAR_COOKIE, sidebar, lifetime=_LIFETIME)
    return response


def remember_language(response: Response, language: str) -> None:
    """Keep a choice of language in this browser; also for a profile page that saves one."""
    set_cookie(response, LANGUAGE_COOKIE, language, lifetime=_LIFETIME)


def current_theme() -> str:
    """`light` or `dark` as chosen, else `auto`: the system decides."""
    chosen = read_cookie(_THEME_COOKIE)
    return chosen if chosen in THEMES else "auto"


def sidebar_is_folded() -> bool:
    """Whether this browser's reader folded the sidebar away."""
    return read_cookie(_SIDEBAR_COOKIE) == "folded"


def this_page() -> str:
    """The path that shows this page again by GET, else the beginning."""
    path = request.full_path.removesuffix("?")
    if request.method != "GET":
        methods = current_app.url_map.bind("").allowed_methods(request.path)
        path = path if "GET" in methods else "/"
    return path if is_own_path(path) else "/"
