"""What the API says of itself: OpenAPI 3.1, made from the operations and from nothing else."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kernel.api.idempotency import KeyInFlight, KeyReused, KeyUnusable
from kernel.api.operations import Api, Operation
from kernel.api.problems import (
    EVERYWHERE,
    MEDIA_TYPE,
    BadVersion,
    Forbidden,
    Malformed,
    NotJson,
    NotValid,
    Problem,
    ScopeMissing,
    TooLarge,
    VersionMissing,
    title_of,
)
from kernel.errors import NotFound, Refused, VersionConflict

VERSION = "3.1.0"
_REFERENCES = "#/components/schemas/{model}"
_TEXT = {"type": "string"}
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {"description": "The version, for If-Match", "schema": _TEXT},
    "Location": {"description": "The address of what was made", "schema": _TEXT},
    "Content-Disposition": {"description": "The name of the file", "schema": _TEXT},
    "Link": {"description": 'The next page, with rel="next"', "schema": _TEXT},
    "RateLimit": {"description": "How many requests may still come", "schema": _TEXT},
    "RateLimit-Policy": {"description": "How many may come at all", "schema": _TEXT},
    "X-Request-ID": {"description": "The number to quote", "schema": _TEXT},
    "Idempotency-Replayed": {"description": "The answer was given before", "schema": _TEXT},
    "WWW-Authenticate": {"description": "How to prove oneself (RFC 6750)", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}},
}
_EVERY_ANSWER = ("X-Request-ID", "RateLimit", "RateLimit-Policy")


def document(
    api: Api, *, server: str, described_at: str, schemes: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole description."""
    schemas = _Schemas(api)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for operation in api.operations:
        described = _operation(operation, schemas, described_at)
        paths[operation.path][operation.method.lower()] = described
    return {
        "openapi": VERSION,
        "info": {
            "title": api.title,
            "version": api.version,
            "description": api.words,
        },
        "servers": [{"url": f"{server}{api.prefix}"}],
        "externalDocs": {"url": described_at, "description": "The same to read"},
        "tags": [{"name": name, "description": words} for name, words in api.tags.items()],
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components,
            "securitySchemes": dict(schemes),
            "headers": _HEADERS,
        },
    }


def refusals_of(operation: Operation) -> list[type[Refused]]:
    """Every kind of refusal that this operation may answer."""
    found: list[type[Refused]] = [*EVERYWHERE]
    if operation.gaps:
        found.append(NotFound)
    if operation.demand.permission is not None:
        found.append(Forbidden)
    if any(operation.demand.schemes.values()):
        found.append(ScopeMissing)
    if operation.needs_version:
        found += [VersionMissing, BadVersion, VersionConflict]
    found.append(NotValid)
    if operation.body is not None:
        found += [NotJson, Malformed, TooLarge]
    if operation.method == "POST":
        found += [KeyUnusable, KeyReused, KeyInFlight]
    return list(dict.fromkeys([*found, *operation.refusals]))


def example_of(model: type[BaseModel]) -> dict[str, Any] | None:
    """The examples of a model's fields, put together; None where a needed one is missing."""
    example: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        found = list(info.examples or _examples_of(info.annotation))
        if found:
            example[name] = found[0]
        elif info.is_required():
            return None
    return example


def _examples_of(hint: Any) -> list[Any]:
    """What a type says by itself: the one word that it allows, or a model with examples of its own."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        inner = example_of(hint)
        return [] if inner is None else [inner]
    if get_origin(hint) is list:
        (item,) = get_args(hint)
        return [_examples_of(item)] if _examples_of(item) else []
    words = get_args(hint) if get_origin(hint) is Literal else ()
    return [*words] if len(words) == 1 else []


class _Schemas:
    """The schemas of all models, each once, under names without brackets."""

    def __init__(self, api: Api) -> None:
        asked = {each for op in api.operations for each in (op.query, op.body) if each is not None}
        given = {op.answer for op in api.operations if op.answer is not None} | {Problem}
        wanted = [(model, "validation") for model in asked]
        wanted += [(model, "serialization") for model in given]
        wanted.sort(key=lambda each: (each[0].__name__, each[1]))
        named, definitions = models_json_schema(
            wanted,  # type: ignore[arg-type]
            ref_template=_REFERENCES,
        )
        self._named = {model: reference for (model, _), reference in named.items()}
        self.components: dict[str, Any] = dict(sorted(definitions.get("$defs", {}).items()))
        self._queries = {
            model: self.components.pop(self.name_of(model))
            for model in {op.query for op in api.operations if op.query is not None}
        }

    def reference(self, model: type[BaseModel]) -> dict[str, Any]:
        return dict(self._named[model])

    def name_of(self, model: type[BaseModel]) -> str:
        return str(self._named[model]["$ref"]).rpartition("/")[2]

    def query(self, model: type[BaseModel]) -> dict[str, Any]:
        return dict(self._queries[model])


def _operation(operation: Operation, schemas: _Schemas, described_at: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": " ".join(
            part for part in (operation.description, f"{operation.demand.words}") if part
        ),
        "parameters": list(_parameters(operation, schemas)),
        "responses": _responses(operation, schemas, described_at),
        "security": [{name: list(scopes)} for name, scopes in operation.demand.schemes.items()],
        "x-permission": operation.demand.permission,
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": schemas.reference(operation.body)}
        example = example_of(operation.body)
        if example is not None:
            content["example"] = example
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _parameters(operation: Operation, schemas: _Schemas) -> Iterable[dict[str, Any]]:
    for name, adapter in operation.adapters.items():
        schema = adapter.json_schema()
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": schema.pop("description", ""),
            "schema": schema,
        }
    if operation.query is not None:
        found = schemas.query(operation.query)
        for name, schema in found.get("properties", {}).items():
            yield {
                "name": name,
                "in": "query",
                "required": name in found.get("required", ()),
                "description": schema.get("description", ""),
                "schema": _of_text({key: schema[key] for key in schema if key != "description"}),
            }
    if operation.needs_version:
        yield {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The version that is to be changed: the ETag of the last answer",
            "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$', "examples": ['"1"']},
        }
    if operation.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Makes it safe to send the request again: it is carried out once, and "
            "the same answer is given for 24 hours",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        }


def _of_text(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, which is either there or not, and never null."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(choices) == 1:
        schema = {**{key: schema[key] for key in schema if key != "anyOf"}, **choices[0]}
    if schema.get("default", 0) is None:
        del schema["default"]
    return schema


def _responses(operation: Operation, schemas: _Schemas, described_at: str) -> dict[str, Any]:
    names = [*_EVERY_ANSWER]
    if operation.gives_version or operation.needs_version:
        names.append("ETag")
    if operation.makes:
        names += ["Location", "Idempotency-Replayed"]
    if operation.answer is not None and operation.answer.__name__.startswith("Listing"):
        names.append("Link")
    if operation.forms:
        names.append("Content-Disposition")
    success: dict[str, Any] = {"description": "Done", "headers": _header_references(names)}
    if operation.answer is not None:
        success["content"] = {"application/json": {"schema": schemas.reference(operation.answer)}}
    if operation.forms:
        success["content"] = {form.mimetype: {"schema": _TEXT} for form in operation.forms}
    responses = {str(operation.status): success}
    by_status: dict[int, list[type[Refused]]] = defaultdict(list)
    for refusal in refusals_of(operation):
        by_status[refusal.status].append(refusal)
    for status, refusals in sorted(by_status.items()):
        responses[str(status)] = _refusal(status, refusals, schemas, described_at)
    return responses


def _refusal(
    status: int, refusals: Sequence[type[Refused]], schemas: _Schemas, described_at: str
) -> dict[str, Any]:
    names = [*_EVERY_ANSWER]
    if status in {401, 403}:
        names.append("WWW-Authenticate")
    if status == 429:
        names.append("Retry-After")
    return {
        "description": "; ".join(dict.fromkeys(title_of(each) for each in refusals)),
        "headers": _header_references(names),
        "content": {
            MEDIA_TYPE: {
                "schema": schemas.reference(Problem),
                "examples": {
                    each.reason: {
                        "value": {
                            "type": f"{described_at}#{each.reason}",
                            "title": title_of(each),
                            "status": status,
                            "code": each.reason,
                        }
                    }
                    for each in refusals
                },
            }
        },
    }


def _header_references(names: Sequence[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def words_of_type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, for people.

    >>> words_of_type({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]})
    'string (uuid) or null'
    >>> words_of_type({"type": "array", "items": {"$ref": "#/components/schemas/Role"}})
    'list of Role'
    >>> words_of_type({"enum": ["a", "b"], "type": "string"})
    'a or b'
    """
    if "anyOf" in schema:
        return " or ".join(words_of_type(each) for each in schema["anyOf"])
    if "$ref" in schema:
        return re.sub(r"[_\]]+$", "", str(schema["$ref"]).rpartition("/")[2])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {words_of_type(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind
