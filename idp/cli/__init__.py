"""The operators' commands of the identity program. `klucznik.cli` names them by import string.

A command reads what was typed, calls a service in a transaction, and says what happened: to people
in words, to programs in JSON.
"""
