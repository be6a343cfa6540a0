"""Whatever two browsers do in whatever order: nobody gets in with less than policy asks for."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest
import time_machine
from flask import Flask

from idp.mails import delivery
from kernel.mail import Mail
from tests import programs
from tests.conftest import MakeDatabase
from tests.idp.provider import an_app
from tests.properties.record import Way
from tests.properties.steps import Signing
from tests.tenants.making import an_application

EXAMPLES = int(os.environ.get("KLUCZNIK_TEST_EXAMPLES", "16"))
ACTS = 50
START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def program(make_database: MakeDatabase) -> Iterator[Flask]:
    """The identity program, once for all examples."""
    for app in programs.identity(make_database):
        # As though every form token had been right: whoever gets past that is tried too.
        app.config["WTF_CSRF_ENABLED"] = False
        yield app


@pytest.mark.product("ID-5", "ID-6", "ID-8", "ID-9", "ID-10")
@pytest.mark.security("2.5", "2.7", "3.5", "4.2", "4.5", "4.9", "6.11")
def test_nobody_gets_in_with_less_than_policy_asks_for(
    program: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails: list[Mail] = []
    monkeypatch.setattr(delivery, "send_mail", lambda _settings, mail: mails.append(mail))
    an_application("portal", context="none", for_every_account=True)
    application = an_app(first_party=True, application="portal")
    ways: set[Way] = set()

    for seed in range(EXAMPLES):
        with time_machine.travel(START, tick=False) as coordinates:
            signing = Signing(
                program,
                application,
                mails,
                random=Random(seed),
                coordinates=coordinates,
                now=START,
            )
            try:
                for _ in range(ACTS):
                    signing.act()
            except AssertionError as broken:
                story = "\n".join(signing.history)
                raise AssertionError(f"{broken}\nseed {seed}:\n{story}") from broken
            ways |= signing.record.ways

    # Else it would prove little.
    assert set(Way) - ways == set()
