"""Refusals as programs read them: problem+json (RFC 9457).

What is missing and what is somebody else's gives the same bytes; the number of the request is in a
header (`X-Request-ID`), and not in the body, which would tell them apart.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response
from pydantic import BaseModel, Field, ValidationError

from kernel.errors import NotFound, Overloaded, Refused, TooManyTries

MEDIA_TYPE = "application/problem+json"
REALM = 'Bearer realm="klucznik"'
_MOST_FAULTS = 50


class Fault(BaseModel):
    """One thing that is wrong with a request, and where."""

    pointer: str | None = Field(
        None, description="Where in the body (RFC 6901)", examples=["/address/postcode"]
    )
    parameter: str | None = Field(
        None, description="Which parameter of the query, or which header", examples=["limit"]
    )
    code: str = Field(description="What is wrong, for programs", examples=["string_too_long"])
    detail: str = Field(description="What is wrong, for people")


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457). Nothing was changed."""

    type: str = Field(description="Where this kind of problem is described")
    title: str = Field(description="The problem in a sentence")
    status: int = Field(description="The status of the answer")
    code: str = Field(description="The kind of problem, a stable word", examples=["not_found"])
    detail: str | None = Field(None, description="More about this time")
    errors: list[Fault] | None = Field(None, description="What is wrong with the request")
    request_id: str | None = Field(None, description="The number to quote")


class Unauthenticated(Refused):
    """Bring an access token, or an API key, in the header Authorization."""

    status = 401
    reason = "credentials_missing"
    challenge = REALM


class BadCredentials(Unauthenticated):
    """The token or the key is not good, or no longer."""

    reason = "credentials_refused"
    challenge = f'{REALM}, error="invalid_token"'


class Forbidden(Refused):
    """The permission for this is missing."""

    status = 403
    reason = "permission_missing"


class ScopeMissing(Forbidden):
    """The token was given for something else: a scope is missing."""

    reason = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"scope {scope} is missing")
        self.challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'


class NotJson(Refused):
    """The body has to be JSON: send Content-Type: application/json."""

    status = 415
    reason = "not_json"


class BadRequest(Refused):
    """The request holds what can't be stored or understood, such as NUL characters."""

    reason = "bad_request"


class TooLarge(Refused):
    """The body is larger than a megabyte."""

    status = 413
    reason = "request_entity_too_large"


class Malformed(Refused):
    """The body is no JSON, or JSON that can be read in two ways."""

    reason = "malformed_json"


class BadVersion(Refused):
    """If-Match has to be one ETag, as it was answered."""

    reason = "if_match_unusable"


class VersionMissing(Refused):
    """Say with If-Match which version is to be changed: the ETag of the last answer."""

    status = 428
    reason = "if_match_missing"


class NotValid(Refused):
    """Something about the request is not as the description says."""

    status = 422
    reason = "not_valid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(f"{fault.pointer or fault.parameter}" for fault in faults))
        self.faults = faults


class TooMany(TooManyTries):
    """Too many requests in a short time."""

    reason = "too_many_requests"


# What any operation may answer, whatever it is about.
EVERYWHERE: tuple[type[Refused], ...] = (Unauthenticated, BadCredentials, BadRequest, TooMany)


def faults_of(error: ValidationError, *, in_query: bool = False) -> list[Fault]:
    """What pydantic found, in our words for where."""
    return [
        Fault(
            pointer=None if in_query else pointer_to(found["loc"]),
            parameter=".".join(map(str, found["loc"])) if in_query else None,
            code=found["type"],
            detail=found["msg"],
        )
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ][:_MOST_FAULTS]


def pointer_to(location: Iterable[object]) -> str:
    """A place in a JSON text (RFC 6901).

    >>> pointer_to(("a/b", 0, "c~d")), pointer_to(())
    ('/a~1b/0/c~0d', '')
    """
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)


def title_of(kind: type[Refused]) -> str:
    """What a kind of refusal says to everybody: the first sentence of its description."""
    return (kind.__doc__ or "").strip().partition("\n")[0].partition(". ")[0].rstrip(".")


def describe(
    refusal: Refused, *, described_at: str, pointers: Mapping[type[Refused], str]
) -> dict[str, Any]:
    """The members of the answer. Its detail is for the log, and is not among them."""
    kind = type(refusal)
    status, code = refusal.status, refusal.reason
    body: dict[str, Any] = {
        "type": f"{described_at}#{code}",
        "title": title_of(kind),
        "status": status,
        "code": code,
    }
    if isinstance(refusal, NotFound):
        # Whatever was not found: a class of its own would tell what it was not.
        return body | {
            "type": f"{described_at}#{NotFound.reason}",
            "title": title_of(NotFound),
            "code": NotFound.reason,
        }
    faults = list(refusal.faults) if isinstance(refusal, NotValid) else []
    pointer = next((pointers[each] for each in kind.__mro__ if each in pointers), None)
    field = getattr(refusal, "field", None)
    if pointer is None and isinstance(field, str):
        pointer = pointer_to([field])
    if pointer is not None:
        faults.append(Fault(pointer=pointer, code=code, detail=title_of(kind)))
    if faults:
        body["errors"] = [fault.model_dump(exclude_none=True) for fault in faults]
    return body


def answer(
    refusal: Refused | Overloaded,
    *,
    described_at: str,
    pointers: Mapping[type[Refused], str] | None = None,
) -> Response:
    """The refusal as a response."""
    if isinstance(refusal, Overloaded):
        body: dict[str, Any] = {
            "type": f"{described_at}#{refusal.reason}",
            "title": "Too much is going on at once",
            "status": refusal.status,
            "code": refusal.reason,
        }
    else:
        body = describe(refusal, described_at=described_at, pointers=pointers or {})
    response = Response(
        json.dumps(body, separators=(",", ":"), ensure_ascii=False),
        status=body["status"],
        mimetype=MEDIA_TYPE,
    )
    challenge = getattr(refusal, "challenge", None)
    if challenge is not None:
        response.headers["WWW-Authenticate"] = challenge
    retry_after = getattr(refusal, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
