"""What a run of the tests works out once, though every test asks for it: costly, and always the same.

Nothing is made weaker: keys are real keys, hashes real hashes, in the strength that production has.
"""

import gc
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any

from sqlalchemy import Engine, MetaData, Table
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from kernel.argon2id import Argon2id
from kernel.database import inspection, tenancy

# Where a key is compared with the next or the one before, none of so many in a row is like another.
_RSA_KEYS = 8
_CHEAP_KIB = 1024

_derive, _compile = Argon2id.derive, Rule._compile_builder
_guard, _Verdicts = tenancy.guard, inspection.Verdicts
_answers: dict[tuple[Any, ...], bytes] = {}
_builders: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}
_statements: LRUCache[Any, Any] = LRUCache(5_000)


def switch_on() -> None:
    """Remember what Argon2 answered to a secret under a salt, what writes the address of a view,
    the SQL of a statement, and which forms of statements the wall between tenants let pass.

    A program remembers the last two for as long as it lives. A test's lives for a moment.
    """
    Argon2id.derive = _remembered  # type: ignore[method-assign]
    Rule._compile_builder = _compiled_once  # type: ignore[assignment, method-assign]
    Engine._compiled_cache = property(  # type: ignore[assignment]
        lambda _: _statements, lambda _self, _own: None
    )
    DefaultDialect.__eq__ = _speaks_the_same  # type: ignore[assignment, method-assign]
    DefaultDialect.__hash__ = _hash_of_what_it_speaks  # type: ignore[assignment, method-assign]
    tenancy.guard = _guarded_warm
    # Each program that a test starts is a great circle of objects; all else stays for the whole run.
    gc.set_threshold(50_000, 20, 100)


def leave_alone_what_stays() -> None:
    """Look for garbage no more among all that was imported: call it once that is over."""
    gc.collect()
    gc.freeze()


def switch_off() -> None:
    """Let everything take its time: where time is what is tested."""
    Argon2id.derive = _derive  # type: ignore[method-assign]


def _remembered(self: Argon2id, secret: bytes, salt: bytes, length: int | None = None) -> bytes:
    if self._memory_kib <= _CHEAP_KIB:
        return _derive(self, secret, salt, length)
    asked = (self.beginning, secret, salt, length)
    known = _answers.get(asked)
    if known is None:
        known = _answers[asked] = _derive(self, secret, salt, length)
    return known


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    # All that the function is made of; the rule itself is given to it when it is called.
    made_of = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
    known = _builders.get(made_of)
    if known is None:
        known = _builders[made_of] = _compile(rule, append_unknown)
    return known


def _speaks_the_same(self: DefaultDialect, other: object) -> bool:
    return type(self) is type(other) and _speech(self) == _speech(other)


def _hash_of_what_it_speaks(self: DefaultDialect) -> int:
    return hash(type(self))


def _speech(dialect: DefaultDialect) -> tuple[Any, ...]:
    # What a dialect learns at its first connection is part of how it writes a statement.
    return dialect.paramstyle, getattr(dialect, "server_version_info", None)


def _guarded_warm(engine: Engine, metadata: MetaData) -> None:
    each_time = inspection.Verdicts
    inspection.Verdicts = _verdicts  # type: ignore[assignment, misc]
    try:
        _guard(engine, metadata)
    finally:
        inspection.Verdicts = each_time  # type: ignore[misc]


@lru_cache
def _verdicts(guarded: frozenset[Table]) -> inspection.Verdicts:
    return _Verdicts(guarded)


def share_keys(keys: Any) -> None:
    """Let all programs of the run sign with the same few RSA keys. `keys` is `idp.keys.service`."""
    if not hasattr(keys.new_rsa, "is_shared"):
        keys.new_rsa = _taking_turns(keys.new_rsa)
        keys._parse = lru_cache(maxsize=100)(keys._parse)


def _taking_turns(make: Callable[[int], Any]) -> Callable[[int], Any]:
    made = lru_cache(maxsize=None)(lambda bits, _number: make(bits))
    numbers = count()

    def turn(bits: int) -> Any:
        return made(bits, next(numbers) % _RSA_KEYS)

    turn.is_shared = True  # type: ignore[attr-defined]
    return turn
