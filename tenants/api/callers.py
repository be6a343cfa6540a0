"""Who asks: a person by an application's token, an account's own program by a key, an application."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from tenants.roles.power import Actor


class Kind(StrEnum):
    """What somebody proves themselves by."""

    PERSON = "person"
    KEY = "key"
    CLIENT = "client"


@dataclass(frozen=True)
class Caller:
    """Who asks, in which account, and with what power, read from the database for this request."""

    kind: Kind
    actor: Actor
    scopes: frozenset[str]
    """What the token was given for; a key needs none."""
    account: str | None = None
    """The context of the grant, or the account of the key; None: none."""
    company: str | None = None
    person_id: UUID | None = None
    auth_time: datetime | None = None
    """When the person proved themselves last."""
    client_id: str | None = None
    """The application that asks, for itself or for the person."""
    application: str | None = None
    """What of `tenants.applications` that client signs people in to."""
    is_ours: bool = False
    """One of the installation's own programs, which switch contexts: they act for the person in all of
    their accounts. Any other reaches the account of its own grant, and no further."""


class Authenticator(Protocol):
    """Knows one kind of credentials."""

    def __call__(self, credential: str, *, now: datetime) -> Caller | None:
        """Whose they are; None for another kind of credentials; raises BadCredentials."""
        ...


Authenticators = Sequence[Authenticator]
