"""How strongly somebody signed in, in words for people."""

from kernel.i18n import lazy_gettext as lazy

_WORDS = {
    "urn:klucznik:acr:single-factor": lazy("one factor"),
    "urn:klucznik:acr:mail-code": lazy("password and a code by e-mail"),
    "urn:klucznik:acr:two-factor": lazy("two factors"),
}


def in_words(acr: str | None) -> str:
    """What a class of sign-in means; empty for one that we have no words for."""
    return str(_WORDS.get(acr or "", ""))
