"""The identity program for a whole matrix: requests without number, tokens that outlast a slow machine."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from idp.settings import current_settings
from kernel.limits import Window
from tenants.api import gate
from tests import programs
from tests.conftest import MakeDatabase

_ENDLESS = Window("endless", limit=10**9, every=timedelta(days=1))


def lasting(make_database: MakeDatabase) -> Iterator[Flask]:
    """One installation, for all tests of a module."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gate, "PER_CALLER", _ENDLESS)
        patched.setattr(gate, "PER_ACCOUNT", _ENDLESS)
        for app in programs.identity(make_database):
            # No installation may set as much.
            patched.setitem(vars(current_settings()), "access_token_seconds", 24 * 60 * 60)
            yield app
