"""Reading what the browser brings back from the provider (RFC 6749 §4.1.2, RFC 9207)."""

from collections.abc import Iterable
from dataclasses import dataclass

from relying_party.errors import SignInFailed
from relying_party.provider.metadata import Metadata

_READ = ("state", "iss", "code", "error")
_LONGEST = 2_048


@dataclass(frozen=True)
class Answer:
    """An authorization response, not yet believed."""

    state: str
    issuer: str | None
    code: str | None
    error: str | None


def read(parameters: Iterable[tuple[str, str]]) -> Answer:
    """The answer in these query parameters; raises SignInFailed when it can't be one.

    A parameter that comes twice is refused: somebody may have added the second one.
    """
    found: dict[str, str] = {}
    for name, value in parameters:
        if name not in _READ:
            continue
        if name in found:
            raise SignInFailed(f"{name} comes twice")
        if len(value) > _LONGEST or not value.isascii() or not value.isprintable():
            raise SignInFailed(f"{name} is malformed")
        found[name] = value
    if not found.get("state"):
        raise SignInFailed("no state")
    return Answer(found["state"], found.get("iss"), found.get("code"), found.get("error"))


def why_refuse(answer: Answer, metadata: Metadata) -> str | None:
    """Say why this answer is not the provider's, or None when it may be.

    Only `iss` tells whose answer it is: without it one provider's code could be handed to another
    (RFC 9207 §2.4).
    """
    if answer.issuer is None and metadata.names_issuer_in_responses:
        return "the answer does not say who gives it"
    if answer.issuer is not None and answer.issuer != metadata.issuer:
        return "the answer is another provider's"
    if answer.error is None and not answer.code:
        return "neither a code nor an error"
    if answer.error is not None and answer.code is not None:
        return "a code and an error"
    return None
