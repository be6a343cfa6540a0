"""The tables in the code are the tables that the migrations make, on both databases."""

import ast
from importlib import import_module

import pytest
from alembic import command
from sqlalchemy import make_url
from sqlalchemy.dialects import postgresql

from kernel.database import migrations
from tests.architecture.packages import PROGRAMS, ROOT, modules, tree_of

APPS = {"identity": "idp.app", "portal": "portal.app", "crm": "crm.app"}
DATABASES = {"identity": "tenants.database", "portal": "portal.database", "crm": "crm.database"}


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def metadata_of(program: str):
    import_module(APPS[program])
    return import_module(DATABASES[program]).Base.metadata


def test_models_and_migrations_make_the_same_tables(program, make_database):
    url = make_database(program, lambda owner: migrations.upgrade(program, owner))

    assert migrations.differences(url, metadata_of(program)) == []


def test_names_are_ordered_alike_on_every_server(program):
    """In the table that PostgreSQL gets; without it the server's own language decides."""
    loose = [
        str(column)
        for table in metadata_of(program).tables.values()
        for column in table.columns
        if column.key == "sort_name"
        and 'COLLATE "C"' not in column.type.compile(dialect=postgresql.dialect())
    ]

    assert loose == []


def test_every_program_has_migrations(program):
    assert list((ROOT / "migrations" / program / "versions").glob("*.py"))


def test_migrating_twice_changes_nothing(program, tmp_path):
    url = f"sqlite:///{tmp_path / 'twice.sqlite3'}"
    migrations.upgrade(program, url)
    migrations.upgrade(program, url)

    at, expected = migrations.revisions(program, url)

    assert make_url(url).database
    assert at == expected


def test_every_migration_after_the_first_can_be_taken_back_and_made_again(program, make_database):
    def there_and_back(owner):
        migrations.upgrade(program, owner)
        command.downgrade(migrations.configuration(program, owner), "0001")
        migrations.upgrade(program, owner)

    url = make_database(f"{program}_and_back", there_and_back)

    assert migrations.differences(url, metadata_of(program)) == []


def test_the_migrations_of_a_program_are_one_line():
    """Two heads would let two machines have different tables."""
    for program in PROGRAMS:
        numbers = sorted(
            path.name.partition("_")[0]
            for path in (ROOT / "migrations" / program / "versions").glob("*.py")
        )

        assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_every_table_of_a_feature_is_in_its_models():
    """`models` is what import-linter keeps private. Tables made of a mixin have a door of theirs."""
    elsewhere = {
        f"{path}: {node.name}"
        for path in modules("tenants", "consent", "idp", "portal", "crm")
        if path.name != "models.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
        and any(_names_a_table(line) for line in node.body)
        and not any(ast.unparse(base).endswith("Mixin") for base in node.bases)
    }

    assert elsewhere == set()


def _names_a_table(line: ast.stmt) -> bool:
    return isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "__tablename__"
