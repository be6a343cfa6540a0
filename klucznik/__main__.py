"""`python -m klucznik` is the command `klucznik`."""

from klucznik.cli import main

main()
