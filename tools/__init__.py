"""What stands behind the words of the Makefile.

Everything here runs on the Python standard library alone, because it also runs
on a machine where nothing else is installed yet.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said here, before an import fails on it
    sys.exit("Klucznik needs Python 3.11 or newer.")
