"""`python -m kernel.i18n update <package> …`: bring catalogs up to date with code and templates.

`python -m kernel.i18n missing <package> …`: see whether they are.
Both list the texts that still lack their words; `missing` changes nothing, and fails if there are any.
"""

import sys

from kernel.i18n.catalogs import SOURCE_LANGUAGE
from kernel.i18n.choice import LANGUAGES
from kernel.i18n.extraction import missing, update

_USAGE = "usage: python -m kernel.i18n update|missing <package> …\n"


def main(arguments: list[str]) -> int:
    """Run the command; the exit code says whether everything has its words."""
    match arguments:
        case ["update", *packages] if packages:
            act = update
        case ["missing", *packages] if packages:
            act = missing
        case _:
            sys.stderr.write(_USAGE)
            return 2
    complete = True
    for package in packages:
        for language in LANGUAGES:
            if language == SOURCE_LANGUAGE:
                continue
            for text in act(package, language):
                complete = False
                sys.stdout.write(f"{package} {language}: {text!r}\n")
    return 0 if complete or act is update else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
