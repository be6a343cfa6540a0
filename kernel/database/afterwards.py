"""What waits for a commit: waking the worker, dropping what a cache holds."""

from collections.abc import Callable
from typing import Any, Protocol

_ACTS = "klucznik.after_commit"


class Transaction(Protocol):
    """A session, or a transaction without one."""

    @property
    def info(self) -> dict[Any, Any]:
        """What belongs to this transaction."""


def after_commit(transaction: Transaction, act: Callable[[], object]) -> None:
    """Call `act()` once this transaction is committed; never when it is undone."""
    transaction.info.setdefault(_ACTS, []).append(act)


def committed(transaction: Transaction) -> None:
    """Do what waited for this commit."""
    for act in transaction.info.pop(_ACTS, ()):
        act()
