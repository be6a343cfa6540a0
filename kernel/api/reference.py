"""The description of an API where it is served: as OpenAPI for programs, and as a page to read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from kernel.api import openapi
from kernel.api.operations import Api, Operation
from kernel.api.problems import title_of
from kernel.api.requests import PAGE, json_document
from kernel.errors import Refused
from kernel.web import origin_of, public

DOCUMENT = "/api/openapi.json"


@dataclass(frozen=True)
class Row:
    """A field or a parameter."""

    name: str
    type: str
    about: str
    required: bool


@dataclass(frozen=True)
class Fields:
    """Fields under a title."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of refusal."""

    code: str
    status: int
    title: str

    @classmethod
    def of(cls, refusal: type[Refused]) -> "Kind":
        return cls(refusal.reason, refusal.status, title_of(refusal))


@dataclass(frozen=True)
class Described:
    """An operation in words."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    demand: str
    tables: tuple[Fields, ...]
    example: str | None
    status: int
    answer: str | None
    files: tuple[str, ...]
    refusals: tuple[Kind, ...]


@dataclass(frozen=True)
class Chapter:
    """Operations that are about one thing."""

    name: str
    words: str
    anchor: str
    operations: tuple[Described, ...]


@dataclass(frozen=True)
class Description:
    """All of it, as the document and the page show it; it is the same as long as the program runs."""

    document: dict[str, Any]
    chapters: tuple[Chapter, ...]
    schemas: tuple[Fields, ...]
    problems: tuple[Kind, ...]


def add_pages(blueprint: Blueprint, api: Api, *, schemes: Mapping[str, Any]) -> None:
    """The document, and the page beside it. Both are open to everybody: they tell of no account."""

    @lru_cache(maxsize=4)
    def described(server: str) -> Description:
        return _describe(api, server, schemes)

    @blueprint.get(DOCUMENT)
    @public
    def openapi_document() -> ResponseReturnValue:
        """The description for programs."""
        return json_document(described(str(origin_of(current_app))).document)

    @blueprint.get(PAGE)
    @public
    def reference() -> ResponseReturnValue:
        """The description for people."""
        server = str(origin_of(current_app))
        return render_template(
            "kernel/api/reference.html",
            api=api,
            document=DOCUMENT,
            server=f"{server}{api.prefix}",
            description=described(server),
        )


def _describe(api: Api, server: str, schemes: Mapping[str, Any]) -> Description:
    document = openapi.document(api, server=server, described_at=f"{server}{PAGE}", schemes=schemes)
    return Description(
        document=document,
        chapters=tuple(_chapters(api, document)),
        schemas=tuple(
            Fields(name, tuple(_rows(schema)))
            for name, schema in document["components"]["schemas"].items()
        ),
        problems=_problems(api),
    )


def _chapters(api: Api, document: Mapping[str, Any]) -> Iterable[Chapter]:
    for name, words in api.tags.items():
        yield Chapter(
            name=name,
            words=words,
            anchor=f"about-{name.lower().replace(' ', '-')}",
            operations=tuple(
                _described(operation, api, document)
                for operation in api.operations
                if operation.tag == name
            ),
        )


def _described(operation: Operation, api: Api, document: Mapping[str, Any]) -> Described:
    said = document["paths"][operation.path][operation.method.lower()]
    answer = said["responses"][str(operation.status)].get("content", {})
    return Described(
        id=operation.id,
        method=operation.method,
        path=api.prefix + operation.path,
        summary=operation.summary,
        description=operation.description,
        demand=operation.demand.words,
        tables=tuple(_tables(said, document)),
        example=_example(said),
        status=operation.status,
        answer=_name_in(answer["application/json"]["schema"]) if operation.answer else None,
        files=tuple(form.mimetype for form in operation.forms),
        refusals=tuple(Kind.of(each) for each in openapi.refusals_of(operation)),
    )


def _tables(said: Mapping[str, Any], document: Mapping[str, Any]) -> Iterable[Fields]:
    parameters = [
        Row(
            name=each["name"],
            type=f"{openapi.words_of_type(each['schema'])}, in {each['in']}",
            about=each["description"],
            required=each["required"],
        )
        for each in said["parameters"]
    ]
    if parameters:
        yield Fields("Parameters", tuple(parameters))
    if "requestBody" in said:
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        name = _name_in(schema)
        yield Fields(f"Body: {name}", tuple(_rows(document["components"]["schemas"][name])))


def _rows(schema: Mapping[str, Any]) -> Iterable[Row]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield Row(
            name, openapi.words_of_type(field), field.get("description", ""), name in required
        )


def _example(said: Mapping[str, Any]) -> str | None:
    content = said.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "example" not in content:
        return None
    return json.dumps(content["example"], indent=2, ensure_ascii=False)


def _name_in(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _problems(api: Api) -> tuple[Kind, ...]:
    """Every kind of problem by its word; two classes with one word are one kind."""
    found = {
        refusal.reason: Kind.of(refusal)
        for operation in api.operations
        for refusal in openapi.refusals_of(operation)
    }
    return tuple(found[code] for code in sorted(found))
