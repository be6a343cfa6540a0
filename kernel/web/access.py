"""Who may use a view: said at the view, so that nothing is open by accident.

`create_app` answers 404 for a view that says nothing, and tests/architecture walks all of them.
"""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"


def public(view: View) -> View:
    """Open to everybody, signed in or not."""
    return requires(PUBLIC)(view)


def requires(what: str) -> Callable[[View], View]:
    """Say what a view demands (`session`, `client`, a permission); the view's feature enforces it."""

    def mark(view: View) -> View:
        view.requires = what  # type: ignore[attr-defined]
        return view

    return mark


def csrf_exempt(view: View) -> View:
    """Let posts through without a form token: for programs that prove themselves otherwise.

    Such a view must not look at cookies.
    """
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def requirement_of(view: Callable[..., Any]) -> str | None:
    """What a view said about itself, or None when it said nothing."""
    return getattr(view, "requires", None)


def is_csrf_exempt(view: Callable[..., Any]) -> bool:
    """Whether the view takes posts without a form token."""
    return bool(getattr(view, "csrf_exempt", False))
