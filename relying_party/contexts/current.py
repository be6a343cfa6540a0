"""The context of the request being answered, and what the person may do in it."""

from dataclasses import dataclass

from flask import request

from relying_party.contexts.context import Context

_KEY = "klucznik.context"


@dataclass(frozen=True)
class Facts:
    """What the identity program said of a person in a context, when it last confirmed it."""

    account_name: str | None = None
    company_name: str | None = None
    roles: tuple[str, ...] = ()
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Work:
    """Where the person works in this request, and with which permissions."""

    context: Context
    facts: Facts

    @property
    def name(self) -> str | None:
        """What the account is called, or the company where the work is for one."""
        return self.facts.company_name or self.facts.account_name or self.context.account

    def may(self, permission: str) -> bool:
        """Whether a permission of this application is among them."""
        return permission in self.facts.permissions


def work() -> Work:
    """For views that require a context or a permission."""
    found = work_or_none()
    if found is None:
        raise LookupError("this view does not require a context")
    return found


def work_or_none() -> Work | None:
    """The same, where the view requires one; else None."""
    found: Work | None = request.environ.get(_KEY)
    return found


def remember(work: Work) -> None:
    """Let the rest of this request know."""
    request.environ[_KEY] = work
