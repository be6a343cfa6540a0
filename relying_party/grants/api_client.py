"""Calling another program's API for a signed-in person, with a token made for that API alone."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from kernel.outgoing import Outgoing, OutgoingError, Response
from kernel.web import is_own_path
from relying_party.contexts.context import PERSON, Context
from relying_party.errors import ApiUnreachable
from relying_party.grants.service import Grants

# Fifty accounts with their companies, or an account with everything about it.
_MOST_BYTES = 4_000_000

Ask = Callable[[dict[str, str]], Response]
"""Sends a request with these headers."""


@dataclass(frozen=True)
class ApiAnswer:
    """What the API said; `value` is its JSON, None where it sent none."""

    status: int
    value: Any

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class ApiClient:
    """The API of one audience. Tokens never go anywhere else."""

    def __init__(self, grants: Grants, outgoing: Outgoing, *, audience: str) -> None:
        self._grants = grants
        self._outgoing = outgoing
        self._audience = audience

    def get(
        self,
        session_id: UUID,
        path: str,
        parameters: dict[str, str] | None = None,
        *,
        context: Context = PERSON,
    ) -> ApiAnswer:
        """Read from the API, by a path below the audience's address, as who works in this context.

        A token that the API refuses is renewed once: it may have been revoked a moment ago.
        Raises ApiUnreachable, SessionOver or IdentityUnreachable.
        """
        if not is_own_path(path):
            raise ValueError("a path of the API begins with one slash")
        query = f"?{urlencode(parameters)}" if parameters else ""
        url = f"{self._audience}{path}{query}"

        def ask(headers: dict[str, str]) -> Response:
            return self._outgoing.get(url, headers=headers, most_bytes=_MOST_BYTES)

        return self._ask(session_id, context, ask, renew=True)

    def post(
        self,
        session_id: UUID,
        path: str,
        body: dict[str, Any],
        *,
        key: str,
        context: Context = PERSON,
    ) -> ApiAnswer:
        """Have the API do something; what comes again with the same `key` is done once.

        Raises as `get` does. When no answer came, it may have been done: asking again tells.
        """
        if not is_own_path(path):
            raise ValueError("a path of the API begins with one slash")
        url = f"{self._audience}{path}"

        def ask(headers: dict[str, str]) -> Response:
            return self._outgoing.post(url, json=body, headers=headers | {"Idempotency-Key": key})

        return self._ask(session_id, context, ask, renew=True)

    def _ask(self, session_id: UUID, context: Context, ask: Ask, *, renew: bool) -> ApiAnswer:
        audience = self._audience
        token = self._grants.access_token(session_id, audience=audience, context=context)
        try:
            response = ask({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        except OutgoingError as failure:
            raise ApiUnreachable("the API does not answer") from failure
        if response.status == 401 and renew:
            self._grants.discard(session_id, audience=audience, token=token, context=context)
            return self._ask(session_id, context, ask, renew=False)
        return ApiAnswer(response.status, _json(response.body))


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as malformed:
        raise ApiUnreachable("the API answered something else than JSON") from malformed
