"""A small API about folders: whoever names themselves in the header Authorization is that caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Flask
from flask.testing import FlaskClient
from pydantic import Field, StringConstraints
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from kernel import pages
from kernel.api import (
    Answer,
    Api,
    Asked,
    Call,
    Change,
    Demand,
    Forbidden,
    Listing,
    Moment,
    OneLine,
    PageQuery,
    QueryFlag,
    Quota,
    Reply,
    Unauthenticated,
    reference,
    requests,
)
from kernel.api.pages import listing
from kernel.errors import NotFound, Overloaded, Refused, VersionConflict
from kernel.limits import Window
from kernel.pages import Order
from kernel.settings import Settings
from kernel.web import create_app
from tests import programs
from tests.kernel.tables import Folder, db, idempotent_requests, limits

TENANT = "ours"
BY_NAME = Order("name", (Folder.name, Folder.id))

api = Api("folders", prefix="/api/v1", title="Folders", version="1", words="Folders of ours.")
FOLDER = api.about("Folders", "What papers lie in.")
READ = Demand(permission="folders:read", words="Needs folders:read.", schemes={"name": ["read"]})
WRITE = Demand(permission="folders:write", words="Needs folders:write.", schemes={"name": []})
ANYBODY = Demand(permission=None, words="For everybody.")

Name = Annotated[str, Field(max_length=50, examples=["Umowy"]), OneLine]
FolderId = Annotated[UUID, Field(description="The folder's id")]
Shelf = Annotated[str, StringConstraints(pattern="^[a-z]{3}$")]


class NameTaken(Refused):
    """There is a folder of this name. Another one is needed."""

    status = 409
    reason = "name_taken"


class BadName(Refused):
    """No folder can be called so."""

    reason = "bad_name"


class FolderAnswer(Answer):
    """A folder."""

    id: UUID
    name: str


class FolderDraft(Asked):
    """A folder that is to be made."""

    name: Name
    pages: int = Field(1, ge=1, le=10, examples=[3])
    until: Moment | None = None


class FolderChange(Change):
    """What is to be changed."""

    name: Name = ""
    note: str | None = None


class FolderQuery(PageQuery):
    """Which folders."""

    q: str = Field("", max_length=10)
    closed: QueryFlag = False


@api.get("/folders", tag=FOLDER, demand=READ)
def list_folders(call: Call[str], query: FolderQuery) -> Listing[FolderAnswer]:
    """List folders.

    By name, all of them.
    """
    with db.reading(tenant=TENANT) as session:
        page = pages.read(
            session,
            select(Folder.id, Folder.name).where(Folder.tenant_id == TENANT),
            _Found,
            order=BY_NAME,
            asked=query.page,
            bound_to=(TENANT, query.q),
            with_total=True,
        )
    return listing(page, FolderAnswer.of)


@api.post(
    "/folders", tag=FOLDER, demand=WRITE, makes=True, refusals=[NameTaken],
    pointers={BadName: "/name"},
)  # fmt: skip
def create_folder(call: Call[str], body: FolderDraft) -> Reply[FolderAnswer]:
    """Create a folder."""
    seen.append(body)
    if body.name == "bad":
        raise BadName("a secret reason")
    if body.name == "busy":
        raise Overloaded("full", retry_after=7)
    if body.name == "stale":
        raise Unauthenticated("signed in too long ago")
    if body.name == "broken":
        raise RuntimeError("s3cret")
    with db.transaction(tenant=TENANT) as session:
        if session.scalar(
            select(Folder.id).where(Folder.tenant_id == TENANT, Folder.name == body.name)
        ):
            raise NameTaken("a secret detail")
        folder = Folder(tenant_id=TENANT, name=body.name)
        session.add(folder)
        session.flush()
    return Reply(FolderAnswer.of(folder), version=1, location=f"/api/v1/folders/{folder.id}")


@api.get("/folders/{folder}", tag=FOLDER, demand=READ, gives_version=True)
def get_folder(call: Call[str], folder: FolderId) -> Reply[FolderAnswer]:
    """Read a folder."""
    with db.reading(tenant=TENANT) as session:
        found = session.scalar(
            select(Folder).where(Folder.tenant_id == TENANT, Folder.id == folder)
        )
    if found is None:
        raise NotFound("no such folder here")
    return Reply(FolderAnswer.of(found), version=3)


@api.patch("/folders/{folder}", tag=FOLDER, demand=WRITE, needs_version=True)
def change_folder(call: Call[str], folder: FolderId, body: FolderChange) -> Reply[FolderAnswer]:
    """Change a folder."""
    if call.expected_version != 3:
        raise VersionConflict("it is at 3")
    seen.append(body.given())
    return Reply(FolderAnswer(id=folder, name=body.name), version=4)


@api.delete("/folders/{folder}", tag=FOLDER, demand=WRITE, needs_version=True)
def remove_folder(call: Call[str], folder: FolderId) -> None:
    """Remove a folder."""


@api.get("/shelves/{shelf}", tag=FOLDER, demand=ANYBODY)
def get_shelf(call: Call[str], shelf: Shelf) -> FolderAnswer:
    """Read a shelf."""
    return FolderAnswer(id=UUID(int=0), name=shelf)


seen: list[Any] = []
"""What arrived in the operations."""


@dataclass(frozen=True)
class _Found:
    id: UUID
    name: str


@dataclass
class NameGate:
    """Whoever says who they are is believed; «reader» may read, «writer» may write too."""

    windows: list[Window] = field(
        default_factory=lambda: [Window("caller", limit=1_000, every=timedelta(minutes=1))]
    )

    def who(self, authorization: str | None, *, now: datetime) -> str:
        if not authorization:
            raise Unauthenticated
        return authorization

    def name(self, caller: str) -> str:
        return caller

    def quotas(self, caller: str) -> Sequence[Quota]:
        return [Quota(f"{window.name}:{caller}", window) for window in self.windows]

    def admit(self, caller: str, demand: Demand, place: Mapping[str, Any]) -> None:
        if demand.permission == "folders:write" and not caller.startswith("writer"):
            raise Forbidden("only writers write")


def a_program(database_url: str, gate: NameGate | None = None) -> Flask:
    """The program that serves this API."""
    seen.clear()
    settings = Settings(**programs.SECRETS, metrics_port=0)
    app = create_app(
        "kernel",
        settings=settings,
        public_url="http://localhost:9000",
        db=db,
        database_url=database_url,
    )
    blueprint = Blueprint("folders", __name__)
    requests.add_views(blueprint, api)
    reference.add_pages(blueprint, api, schemes={"name": {"type": "http", "scheme": "bearer"}})
    requests.hand_in(
        app, api, requests.Installed(gate or NameGate(), db, limits, idempotent_requests)
    )
    app.register_blueprint(blueprint)
    return app


@dataclass
class Program:
    """A program that speaks with this API."""

    client: FlaskClient
    name: str | None = "writer"

    def ask(self, method: str, path: str, **rest: Any) -> TestResponse:
        headers = dict(rest.pop("headers", {}))
        if self.name is not None:
            headers.setdefault("Authorization", self.name)
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **rest)


def how_many() -> int:
    """Folders that there are."""
    with db.reading(tenant=TENANT) as session:
        return session.scalar(select(func.count()).where(Folder.tenant_id == TENANT)) or 0
