"""`make migration APP=crm M="add phone"`: write a migration from what the tables became.

The tables as the migrations make them are built in a temporary database and compared
with the code. Read what was written before committing it: a renamed column looks like
one dropped and one added, and a running old version must get along with the result.
"""

import sys
import tempfile
from pathlib import Path

from kernel.database import migrations
from tools.shell import VENV_BIN, Failed, run, say


def main(program: str, message: str) -> int:
    """Write the next migration of one program's database."""
    versions = migrations.FOLDER / program / "versions"
    if not versions.parent.is_dir():
        known = sorted(path.name for path in migrations.FOLDER.iterdir() if path.is_dir())
        say(f"APP is one of {', '.join(known)}.")
        return 1
    versions.mkdir(exist_ok=True)
    before = set(versions.glob("*.py"))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'scratch.sqlite3'}"
        migrations.upgrade(program, url)
        number = f"{len(before) + 1:04}"
        migrations.revise(program, url, message=message, number=number)
    written = sorted(set(versions.glob("*.py")) - before)
    for path in written:
        # The first migration revises nothing, which the template ends a line with.
        path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))
    try:
        run([VENV_BIN / "ruff", "check", "--fix", "--quiet", *written])
        run([VENV_BIN / "ruff", "format", "--quiet", *written])
    except Failed as failure:
        say(str(failure))
        return 1
    for path in written:
        say(f"Read it, then commit it: {path.relative_to(migrations.FOLDER.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
