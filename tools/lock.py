"""`make lock`: pin what requirements/*.in and package.json ask for.

    make lock              pin what is new, leave the other pins alone
    make lock UPGRADE=1    raise all pins

Hashes go in, addresses do not: where packages come from is each machine's own
business. Raising leaves versions younger than a week alone, so that a package that
was taken over is found out before it gets here.
"""

import sys
from datetime import UTC, datetime, timedelta

from tools.shell import VENV_BIN, Failed, run, say, step

COOLING_OFF = timedelta(days=7)


def main() -> int:
    """Write requirements/{run,dev,node}.txt and package-lock.json."""
    newest = (datetime.now(UTC) - COOLING_OFF).strftime("%Y-%m-%dT00:00:00Z")
    upgrade = ["--upgrade", "--exclude-newer", newest] if "--upgrade" in sys.argv else []
    try:
        # dev is held to what run was pinned to, so run comes first.
        for name in ("run", "dev", "node"):
            with step(f"requirements/{name}.txt"):
                run(
                    [
                        *(VENV_BIN / "uv", "pip", "compile", f"requirements/{name}.in"),
                        *("--output-file", f"requirements/{name}.txt", "--quiet", *upgrade),
                        *("--generate-hashes", "--universal", "--python-version", "3.11"),
                        *("--no-emit-index-url", "--no-emit-find-links", "--no-header"),
                    ]
                )
        with step("package-lock.json"):
            run(["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"], quiet=True)
    except Failed as failure:
        say(f"Locking failed: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
