"""Scopes in the words of people."""

from dataclasses import dataclass

from kernel.i18n import _


@dataclass(frozen=True)
class Line:
    """One thing that an application asks for."""

    scope: str
    text: str
    detail: str = ""


def lines(scopes: tuple[str, ...]) -> list[Line]:
    """What these scopes mean, in the reader's language. A scope without words shows its name."""
    known = {
        "openid": Line("openid", _("Recognise you"), _("It learns an identifier of your ID.")),
        "profile": Line(
            "profile",
            _("See your profile"),
            _("Your name, language, time zone and picture, as far as you have filled them in."),
        ),
        "email": Line("email", _("See your e-mail address")),
        "phone": Line("phone", _("See your phone number")),
        "address": Line("address", _("See your postal address")),
        "offline_access": Line(
            "offline_access",
            _("Keep access while you are away"),
            _("It stays connected until you sign out or disconnect it."),
        ),
        "accounts": Line(
            "accounts",
            _("Act for you in an account"),
            _("It sees and does there what you may."),
        ),
    }
    return [known.get(scope) or Line(scope, _("Use “%(name)s”", name=scope)) for scope in scopes]
