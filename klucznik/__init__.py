"""The operators' command line, and the start of everything on one machine.

Start at `cli.main`. Programs are named by import string in `programs.py`: nothing here imports
one, so that `klucznik serve portal` never loads the identity program.
"""
