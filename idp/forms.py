"""What all forms of the identity program have in common."""

from flask_wtf import FlaskForm

from idp.credentials.password import Problem
from idp.settings import current_settings
from kernel.i18n import _


class Form(FlaskForm):  # type: ignore[misc]
    """A form. The token against forged posts is checked for every request before any view."""

    class Meta:
        csrf = False


def explain(problem: Problem) -> str:
    """Why a new password is refused, in one sentence with the way out."""
    return str(_sentence(problem))


def _sentence(problem: Problem) -> object:
    match problem:
        case Problem.TOO_SHORT:
            return _(
                "This is too short: use at least %(count)s characters.",
                count=current_settings().password_min_length,
            )
        case Problem.TOO_LONG:
            return _("This is too long: use at most 256 characters.")
        case Problem.LEAKED:
            return _("Many people use this password and it is on public lists. Choose another one.")
        case Problem.PERSONAL:
            return _(
                "This contains part of your address, your name or the name of this service. "
                "Choose something that has nothing to do with them."
            )
        case Problem.TEMPORARY:
            return _("This is the temporary password. Choose one that nobody has sent you.")
        case Problem.GUESSABLE:
            return _("This is easy to guess. A few words that have nothing in common are better.")
