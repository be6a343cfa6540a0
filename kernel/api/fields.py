"""What fields are made of: models that take nothing unknown, and types that have one spelling."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.functional_validators import AfterValidator

_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


class Asked(BaseModel):
    """What a body may hold: these fields, of these types, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Change(Asked):
    """A change in part: what is left out stays as it is, and so no field has a default."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def given(self) -> dict[str, Any]:
        """The fields that were sent, also those that were sent as null."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Query(BaseModel):
    """What a query may hold. Everything arrives as text there."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @classmethod
    def of(cls, found: object) -> Self:
        """The answer about what a use case found: a dataclass with at least these attributes."""
        return cls.model_validate(found, from_attributes=True)


def _one_line(text: str) -> str:
    """A text as people type it into one line; spaces are one, and at neither end.

    >>> _one_line("  Nowak\\u00a0i  Syn ")
    'Nowak i Syn'
    """
    line = " ".join(text.split())
    if not line:
        raise ValueError("must not be empty")
    if not line.isprintable():
        raise ValueError("must be text on one line")
    return line


def _only_a_number(text: object) -> object:
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise ValueError("must be a whole number")
    return text


def _only_a_flag(text: object) -> object:
    if isinstance(text, str) and text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text


def _only_a_moment(text: object) -> object:
    if not isinstance(text, datetime) and not (isinstance(text, str) and _MOMENT.fullmatch(text)):
        raise ValueError("must be a moment with its offset from UTC (RFC 3339)")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as outside:
        raise ValueError("must be a moment of this era") from outside


OneLine = AfterValidator(_one_line)
QueryNumber = Annotated[int, BeforeValidator(_only_a_number)]
QueryFlag = Annotated[bool, BeforeValidator(_only_a_flag)]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_only_a_moment),
    AfterValidator(_in_utc),
    # Always with six digits, so that moments are ordered as texts too.
    PlainSerializer(
        lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        return_type=str,
        when_used="json",
    ),
    # A body is read strictly, and there a text is no moment; which texts are is decided above.
    Field(
        strict=False,
        json_schema_extra={"format": "date-time"},
        examples=["2026-06-01T12:00:00.000000Z"],
    ),
]
