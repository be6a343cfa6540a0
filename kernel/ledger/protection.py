"""The database's own refusal to change a ledger. Whoever gets past it is found by `verify`."""

from typing import TYPE_CHECKING

from kernel.ledger.digests import CONTENT

if TYPE_CHECKING:
    # Serving programs never migrate, and Alembic takes long to load.
    from alembic.operations import Operations

_FIXED = (*CONTENT, "mac")
_UNSEALED = "OLD.sequence IS NULL AND OLD.head IS NULL AND OLD.link IS NULL"


def protect(
    operations: "Operations", *, entries: str = "ledger_entries", heads: str = "ledger_heads"
) -> None:
    """In a migration: entries and heads can be added, and an entry sealed once; nothing else."""
    statements = (
        _postgresql(entries, heads)
        if operations.get_bind().dialect.name == "postgresql"
        else _sqlite(entries, heads)
    )
    for statement in statements:
        operations.execute(statement)


def _sqlite(entries: str, heads: str) -> list[str]:
    kept = " AND ".join(f'OLD."{name}" IS NEW."{name}"' for name in _FIXED)
    return [
        f'CREATE TRIGGER "{entries}_sealed_once" BEFORE UPDATE ON "{entries}" '
        f"WHEN NOT ({_UNSEALED} AND {kept}) "
        "BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END",
        *(
            f'CREATE TRIGGER "{table}_no_{word.lower()}" BEFORE {word} ON "{table}" '
            "BEGIN SELECT RAISE(ABORT, 'a ledger is append-only'); END"
            for table, word in ((entries, "DELETE"), (heads, "UPDATE"), (heads, "DELETE"))
        ),
    ]


def _postgresql(entries: str, heads: str) -> list[str]:
    kept = " AND ".join(f'OLD."{name}" IS NOT DISTINCT FROM NEW."{name}"' for name in _FIXED)
    refuse = f"{entries}_refuse"
    return [
        f'CREATE FUNCTION "{refuse}"() RETURNS trigger LANGUAGE plpgsql AS '
        "$$ BEGIN RAISE EXCEPTION 'a ledger is append-only'; END $$",
        f'CREATE TRIGGER "{entries}_sealed_once" BEFORE UPDATE ON "{entries}" FOR EACH ROW '
        f"WHEN (NOT ({_UNSEALED} AND {kept})) "
        f'EXECUTE FUNCTION "{refuse}"()',
        f'CREATE TRIGGER "{entries}_no_delete" BEFORE DELETE ON "{entries}" FOR EACH ROW '
        f'EXECUTE FUNCTION "{refuse}"()',
        f'CREATE TRIGGER "{heads}_no_change" BEFORE UPDATE OR DELETE ON "{heads}" FOR EACH ROW '
        f'EXECUTE FUNCTION "{refuse}"()',
        *(
            f'CREATE TRIGGER "{table}_no_truncate" BEFORE TRUNCATE ON "{table}" '
            f'FOR EACH STATEMENT EXECUTE FUNCTION "{refuse}"()'
            for table in (entries, heads)
        ),
    ]
