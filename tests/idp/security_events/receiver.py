"""The application's side: what was pushed there, and what it answers."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.outgoing import OutgoingFailed, Response


@dataclass
class Receiver:
    status: int = 202
    body: bytes = b""
    is_away: bool = False
    pushed: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str]) -> Response:
        if self.is_away:
            raise OutgoingFailed("nobody took the connection")
        self.headers = headers
        self.pushed.append((url, data.decode()))
        return Response(self.status, {}, self.body)

    @property
    def claims(self) -> list[dict[str, Any]]:
        """What each token says; nobody checks it here."""
        return [_part(token, 1) for _, token in self.pushed]

    @property
    def header(self) -> dict[str, Any]:
        return _part(self.pushed[-1][1], 0)


def _part(token: str, place: int) -> dict[str, Any]:
    text = token.split(".")[place]
    part: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return part
