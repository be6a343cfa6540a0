"""Whose a block is: an application undoes its own and no other, so what people decided holds."""

from kernel.errors import Refused
from tenants.members.rows import Row, State
from tenants.roles.power import Actor, is_application


class BlockedByAnother(Refused):
    """An application would undo a block that others set."""

    status = 409
    reason = "blocked_by_another"


def is_news(found: Row, actor: Actor) -> bool:
    """Whether the actor's block changes anything: the state, or that no application can undo it now."""
    if found.state is not State.BLOCKED:
        return True
    return (
        found.blocked_by is not None
        and is_application(found.blocked_by)
        and not is_application(actor.id)
    )


def keep(found: Row, actor: Actor) -> None:
    """Let no application undo a block of others; one of whom nobody knows is theirs, too."""
    if found.state is State.BLOCKED and is_application(actor.id) and found.blocked_by != actor.id:
        raise BlockedByAnother(f"membership {found.id} was blocked by {found.blocked_by}")
