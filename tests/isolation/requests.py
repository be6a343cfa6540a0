"""A good request for each operation of the API, made from its description; and what it names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from werkzeug.test import TestResponse

import idp.app  # noqa: F401  (it brings all operations)
from kernel.api import openapi
from tenants.api.rest import api, schemes
from tests.tenants.api.speaking import Speaker

DOCUMENT = openapi.document(
    api, server="http://localhost:9000", described_at="x", schemes=schemes("http://localhost:9000")
)
# What can name something: an account, a company, a UUID.
IDENTIFIER = re.compile(
    r"[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
# Bodies that are signed as a whole: whoever puts another identifier into one has none.
SIGNED = {"put_configuration"}
_GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Described:
    """An operation as the description has it."""

    id: str
    method: str
    path: str
    permission: str | None
    body: Any
    needs_version: bool
    query_slots: tuple[str, ...]
    taken: frozenset[str]
    """Which kinds of credentials it takes."""

    @classmethod
    def all(cls) -> Iterator[Self]:
        for path, operations in DOCUMENT["paths"].items():
            for method, said in operations.items():
                content = said.get("requestBody", {}).get("content", {}).get("application/json")
                parameters = said["parameters"]
                yield cls(
                    id=said["operationId"],
                    method=method.upper(),
                    path=path,
                    permission=said["x-permission"],
                    # No example, no good request: `KeyError` says which model lacks one.
                    body=content["example"] if content is not None else None,
                    needs_version=any(each["name"] == "If-Match" for each in parameters),
                    query_slots=tuple(
                        each["name"]
                        for each in parameters
                        if each["in"] == "query" and each["name"] in {"account", "company", "role"}
                    ),
                    taken=frozenset(name for way in said["security"] for name in way),
                )

    @property
    def gaps(self) -> list[str]:
        """The identifiers in the path."""
        return _GAP.findall(self.path)

    @property
    def body_slots(self) -> list[str]:
        """The names under which identifiers stand in the body, each once."""
        if self.id in SIGNED:
            return []
        return sorted({name for name, value in _members(self.body) if is_identifier(value)})

    def send(
        self,
        speaker: Speaker,
        slots: Mapping[str, str],
        *,
        in_body: Mapping[str, str] | None = None,
        in_query: Mapping[str, str] | None = None,
        version: int = 1,
        body: Any = None,
    ) -> TestResponse:
        """The request with these identifiers in the path, and these, else the same, in the body.

        `body` is one that can't be made from the description.
        """
        if body is None:
            wanted = {**slots, **(in_body or {})}
            body = self.body if self.id in SIGNED else _filled(self.body, wanted)
        return speaker.ask(
            self.method,
            self.path.format(**{gap: slots[gap] for gap in self.gaps}),
            version=version if self.needs_version else None,
            query_string=dict(in_query or {}),
            **({"json": body} if body is not None else {}),
        )


OPERATIONS = sorted(Described.all(), key=lambda each: each.id)


def is_identifier(value: object) -> bool:
    return isinstance(value, str) and IDENTIFIER.fullmatch(value) is not None


def _members(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a body that is neither a list nor an object, with the name that it goes by."""
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _members(inner, inner_name)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner, name)
    else:
        yield name, value


def _filled(value: Any, slots: Mapping[str, str], name: str = "") -> Any:
    """The body with these identifiers in the places of those of the example."""
    if isinstance(value, dict):
        return {each: _filled(inner, slots, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, slots, name) for inner in value]
    return slots[name] if is_identifier(value) else value
