"""Operations: what a function says of itself, by its signature and the words above it."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from kernel.api.downloads import Download, Form, NotInThisForm
from kernel.api.gate import Caller, Demand
from kernel.errors import NotFound, Refused

Body = TypeVar("Body")
View = TypeVar("View", bound=Callable[..., Any])

_GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Call(Generic[Caller]):
    """What every operation gets."""

    caller: Caller
    now: datetime
    version: int | None
    """The version that is to be changed, where the operation asks for it."""

    @property
    def expected_version(self) -> int:
        """The same, in an operation that asks for it."""
        if self.version is None:
            raise LookupError("this operation does not ask for a version")
        return self.version


@dataclass(frozen=True)
class Reply(Generic[Body]):
    """An answer with more than a body."""

    body: Body
    version: int | None = None
    """For the header ETag."""
    location: str | None = None
    """The address of what was made."""


@dataclass(frozen=True)
class Operation:
    """One thing that can be done."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    view: Callable[..., Any]
    demand: Demand
    status: int
    gaps: Mapping[str, Any]
    """The gaps of the path and their types."""
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    forms: tuple[Form, ...]
    """The forms of a file, where the answer is one."""
    refusals: tuple[type[Refused], ...]
    pointers: Mapping[type[Refused], str]
    """Refusals that are about one field of the body, and where it stands."""
    needs_version: bool
    gives_version: bool
    makes: bool
    """Whether the answer names the address of something new."""

    @cached_property
    def adapters(self) -> Mapping[str, TypeAdapter[Any]]:
        """What reads the gaps. Not made at the start, where nobody asks."""
        return {name: TypeAdapter(hint) for name, hint in self.gaps.items()}

    def read_place(self, raw: Mapping[str, str]) -> dict[str, Any]:
        """The gaps of this address; what can't be an identifier is not found."""
        return {name: self._read_gap(name, raw[name]) for name in self.gaps}

    def _read_gap(self, name: str, text: str) -> Any:
        try:
            value = self.adapters[name].validate_python(text)
        except ValidationError as impossible:
            raise NotFound(f"{name} can't be one") from impossible
        if isinstance(value, UUID) and str(value) != text:
            raise NotFound(f"{name} is spelled otherwise")
        return value


class Api:
    """The operations of one API."""

    def __init__(self, name: str, *, prefix: str, title: str, version: str, words: str) -> None:
        self.name = name
        self.prefix = prefix
        self.title = title
        self.version = version
        self.words = words
        self.tags: dict[str, str] = {}
        self._operations: dict[str, Operation] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """All of them, as they were declared."""
        return tuple(self._operations.values())

    def about(self, tag: str, words: str) -> str:
        """Name a chapter of the description; answers the name."""
        self.tags[tag] = words
        return tag

    def get(self, path: str, **said: Any) -> Callable[[View], View]:
        return self.operation("GET", path, **said)

    def post(self, path: str, **said: Any) -> Callable[[View], View]:
        return self.operation("POST", path, **said)

    def put(self, path: str, **said: Any) -> Callable[[View], View]:
        return self.operation("PUT", path, **said)

    def patch(self, path: str, **said: Any) -> Callable[[View], View]:
        return self.operation("PATCH", path, **said)

    def delete(self, path: str, **said: Any) -> Callable[[View], View]:
        return self.operation("DELETE", path, **said)

    def operation(
        self,
        method: str,
        path: str,
        *,
        tag: str,
        demand: Demand,
        refusals: Sequence[type[Refused]] = (),
        pointers: Mapping[type[Refused], str] | None = None,
        needs_version: bool = False,
        gives_version: bool = False,
        makes: bool = False,
        forms: Sequence[Form] = (),
    ) -> Callable[[View], View]:
        """Declare a function as an operation.

        Its parameters are `call`, one for each gap of the path, and `query` and `body`, models; what
        it returns is a model, a `Reply` of one, a `Download` in these `forms`, or nothing. Its
        docstring describes it.
        """

        def declare(view: View) -> View:
            hints = get_type_hints(view, include_extras=True)
            gaps = {name: hints[name] for name in _GAP.findall(path)}
            known = {"call", "query", "body", "return", *gaps}
            if set(hints) - known or set(inspect.signature(view).parameters) - known:
                raise TypeError(f"{view.__name__} has a parameter that nothing gives it")
            summary, _, description = (inspect.getdoc(view) or "").partition("\n\n")
            is_file = hints["return"] is Download
            if is_file != bool(forms):
                raise TypeError(f"{view.__name__} has to say in which forms its file comes")
            answer = None if is_file else _answered(hints["return"])
            operation = Operation(
                id=view.__name__,
                method=method,
                path=path,
                tag=tag,
                summary=summary.rstrip("."),
                description=" ".join(description.split()),
                view=view,
                demand=demand,
                status=201 if makes else 200 if answer or is_file else 204,
                gaps=gaps,
                query=hints.get("query"),
                body=hints.get("body"),
                answer=answer,
                forms=tuple(forms),
                refusals=(
                    *refusals,
                    *(pointers or ()),
                    *([NotInThisForm] if is_file else []),
                ),
                pointers=dict(pointers or {}),
                needs_version=needs_version,
                gives_version=gives_version,
                makes=makes,
            )
            if operation.id in self._operations:
                raise ValueError(f"two operations are called {operation.id}")
            self._operations[operation.id] = operation
            return view

        return declare


def _answered(hint: Any) -> type[BaseModel] | None:
    if get_origin(hint) is Reply:
        (hint,) = get_args(hint)
    if hint is type(None):
        return None
    if not (isinstance(hint, type) and issubclass(hint, BaseModel)):
        raise TypeError(f"{hint!r} is no model")
    return hint
