"""A request on its way through: who, how many, where, what, whether before, and then it is done.

    credentials → quotas → the place and the permission → version → query and body → the operation

What somebody may not know does not depend on what they sent: 404 and 403 come before any 4xx about
the body.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, request
from pydantic import BaseModel

from kernel import clock
from kernel.api import bodies, downloads, idempotency, problems, quotas, versions
from kernel.api.downloads import Download
from kernel.api.gate import Gate
from kernel.api.idempotency import Answered, Claim, IdempotentRequests
from kernel.api.operations import Api, Call, Operation, Reply
from kernel.api.pages import Listing
from kernel.api.quotas import Left
from kernel.database import Database
from kernel.errors import Overloaded, Refused
from kernel.limits import Limits
from kernel.observability.logs import get_logger
from kernel.web import csrf_exempt, origin_of, requires

log = get_logger(__name__)

PAGE = "/api/docs"
_EXTENSION = "klucznik.api"
_KEPT_HEADERS = ("ETag", "Location", "Content-Type")


@dataclass(frozen=True)
class Installed:
    """What an API needs of the program that serves it."""

    gate: Gate[Any]
    db: Database
    limits: Limits
    requests: IdempotentRequests


@dataclass
class _Passage:
    """One request under way."""

    operation: Operation
    installed: Installed
    now: datetime
    left: Sequence[Left] = field(default=())


def hand_in(app: Flask, api: Api, installed: Installed) -> None:
    """Say who guards the API; called once, while the program is put together."""
    app.extensions[f"{_EXTENSION}.{api.name}"] = installed


def add_views(blueprint: Blueprint, api: Api) -> None:
    """A view for each operation, which says what the operation demands."""
    for operation in api.operations:
        blueprint.add_url_rule(
            api.prefix + operation.path.replace("{", "<").replace("}", ">"),
            endpoint=operation.id,
            view_func=_view(api, operation),
            methods=[operation.method],
        )


def _view(api: Api, operation: Operation) -> Callable[..., Response]:
    @requires(f"api:{operation.demand.permission or 'caller'}")
    @csrf_exempt
    def carry_out(**raw: str) -> Response:
        installed: Installed = current_app.extensions[f"{_EXTENSION}.{api.name}"]
        passage = _Passage(operation, installed, clock.now())
        try:
            response = _pass(passage, raw)
        except (Refused, Overloaded) as refusal:
            response = _refused(refusal, operation)
        for name, value in quotas.headers(passage.left):
            response.headers[name] = value
        return response

    carry_out.__name__ = operation.id
    carry_out.__doc__ = operation.summary
    return carry_out


def described_at() -> str:
    """Where the kinds of problems are described."""
    return f"{origin_of(current_app)}{PAGE}"


def _pass(passage: _Passage, raw: Mapping[str, str]) -> Response:
    operation, installed = passage.operation, passage.installed
    gate = installed.gate
    caller = gate.who(request.headers.get("Authorization"), now=passage.now)
    passage.left, too_many = quotas.take(
        installed.db, installed.limits, gate.quotas(caller), now=passage.now
    )
    if too_many is not None:
        raise too_many
    place = operation.read_place(raw)
    gate.admit(caller, operation.demand, place)
    version = None
    if operation.needs_version:
        version = versions.expected(request.headers.get("If-Match"))
    given = dict(place)
    if operation.query is not None:
        given["query"] = bodies.read_query(operation.query, request.args)
    else:
        bodies.read_query(_NoQuery, request.args)
    if operation.body is not None:
        given["body"] = bodies.read_body(
            operation.body, request.get_data(), mimetype=request.mimetype
        )
    call = Call(caller, passage.now, version)
    key = request.headers.get("Idempotency-Key")
    if key is None or operation.method != "POST":
        return _done(operation, call, given)
    return _done_once(passage, key, gate.name(caller), lambda: _done(operation, call, given))


class _NoQuery(BaseModel):
    """Where nothing is asked for, nothing may stand."""

    model_config = {"extra": "forbid"}


def _done(operation: Operation, call: Call[Any], given: Mapping[str, Any]) -> Response:
    result = operation.view(call, **given)
    if isinstance(result, Download):
        return downloads.respond(result, accept=request.accept_mimetypes)
    reply = result if isinstance(result, Reply) else Reply(result)
    if reply.body is None:
        response = Response(status=operation.status)
        del response.headers["Content-Type"]
    else:
        response = Response(
            _text_of(reply.body), status=operation.status, mimetype="application/json"
        )
    if reply.version is not None:
        response.headers["ETag"] = versions.etag(reply.version)
    if reply.location is not None:
        response.headers["Location"] = reply.location
    if isinstance(reply.body, Listing) and reply.body.next is not None:
        response.headers["Link"] = _next_link(reply.body.next)
    return response


def _text_of(body: Any) -> str:
    return str(body.model_dump_json())


def _next_link(cursor: str) -> str:
    query = {**request.args.to_dict(), "cursor": cursor}
    return f'<{origin_of(current_app)}{request.path}?{urlencode(query)}>; rel="next"'


def _done_once(
    passage: _Passage, key: str, whose: str, carry_out: Callable[[], Response]
) -> Response:
    installed, operation = passage.installed, passage.operation
    asked = idempotency.digest(
        operation.method.encode(), request.full_path.encode(), request.get_data()
    )
    begun = installed.requests.begin(
        installed.db, key=key, whose=whose, request=asked, now=passage.now
    )
    if isinstance(begun, Answered):
        return _again(begun)
    try:
        response = carry_out()
    except Refused as refusal:
        response = _refused(refusal, operation)
    except BaseException:
        installed.requests.release(installed.db, begun)
        raise
    _keep(installed, begun, response)
    return response


def _keep(installed: Installed, claim: Claim, response: Response) -> None:
    # Who comes later, or with better credentials, is asking again.
    if response.status_code in {401, 429}:
        installed.requests.release(installed.db, claim)
        return
    headers = tuple(
        (name, response.headers[name]) for name in _KEPT_HEADERS if name in response.headers
    )
    installed.requests.finish(
        installed.db, claim, Answered(response.status_code, headers, response.get_data())
    )


def _again(answered: Answered) -> Response:
    response = Response(answered.body, status=answered.status)
    del response.headers["Content-Type"]
    for name, value in answered.headers:
        response.headers[name] = value
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _refused(refusal: Refused | Overloaded, operation: Operation) -> Response:
    log.info(
        "api_request_refused",
        operation=operation.id,
        status=refusal.status,
        reason=refusal.reason,
        detail=refusal.detail,
    )
    return problems.answer(refusal, described_at=described_at(), pointers=operation.pointers)


def json_document(value: Any) -> Response:
    """A document as JSON."""
    return Response(json.dumps(value, separators=(",", ":")), mimetype="application/json")
