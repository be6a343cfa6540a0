"""Reading what was sent: JSON that means one thing, and queries in which nothing comes twice."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from kernel.api.problems import Fault, Malformed, NotJson, NotValid, faults_of

Model = TypeVar("Model", bound=BaseModel)

_MEDIA_TYPE = "application/json"


def read_body(model: type[Model], raw: bytes, *, mimetype: str) -> Model:
    """The body as this model; raises NotJson, Malformed, NotValid."""
    if mimetype != _MEDIA_TYPE:
        raise NotJson
    _refuse_doubtful(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as invalid:
        raise NotValid(faults_of(invalid)) from invalid


def read_query(model: type[Model], sent: "MultiDict[str, str]") -> Model:
    """The query as this model; raises NotValid."""
    twice = [name for name in sent if len(sent.getlist(name)) > 1]
    if twice:
        raise NotValid(
            [Fault(parameter=name, code="repeated", detail="came twice") for name in twice]
        )
    try:
        return model.model_validate(sent.to_dict())
    except ValidationError as invalid:
        raise NotValid(faults_of(invalid, in_query=True)) from invalid


def _refuse_doubtful(raw: bytes) -> None:
    """Refuse what two readers would read in two ways, or what no database can hold."""
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_each_name_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as unreadable:
        raise Malformed(type(unreadable).__name__) from unreadable
    if not all(_is_storable(text) for text in _texts(value)):
        raise Malformed("characters that can't be stored")


def _each_name_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError("a member comes twice")
        members[name] = value
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _texts(value: Any) -> Iterable[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, Mapping):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
