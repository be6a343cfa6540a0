"""A large installation answers as quickly as a small one: sign-ins, refreshes, and every list.

A million people, ten thousand accounts and a hundred thousand companies on PostgreSQL; a tenth of that on
SQLite. `KLUCZNIK_TEST_PEOPLE` says another number. Each request is sent to both in turns, so that
whatever else the machine does slows both alike.
"""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from idp.demo import crowd
from kernel import clock
from kernel.limits import Window
from tenants.api import gate
from tenants.crowd.service import Size, email_of, ids_of
from tenants.database import db
from tenants.members.models import Membership
from tests import programs
from tests.conftest import ON_POSTGRESQL, MakeDatabase
from tests.idp.visitor import Visitor
from tests.tenants.api.speaking import Speaker, World, a_world

PEOPLE = int(os.environ.get("KLUCZNIK_TEST_PEOPLE", "1000000" if ON_POSTGRESQL else "100000"))
SMALL = Size(people=1_000, accounts=10, companies=100)
LARGE = Size(people=PEOPLE, accounts=PEOPLE // 100, companies=PEOPLE // 10)
TRIES = 200
AT_MOST = 1.5
LISTS = ("users", "clients", "companies", "roles", "invitations", "api-keys", "audit", "webhooks")
SEARCHES = ("users?q=nowak", "users?order=-email", "companies?q=firma", "clients?q=anna")
ENDLESS = Window("endless", limit=10**9, every=timedelta(days=1))


@dataclass
class Place:
    """An installation of one size, with an admin who asks for lists."""

    app: Flask
    world: World
    person_id: UUID
    account: str
    signed_in: int = 0
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    admin: Speaker = field(init=False)
    refresh_token: str = field(init=False)

    def enter(self) -> None:
        """Let the admin in; an access token is good for five minutes."""
        scopes = ("openid", "accounts", "offline_access")
        with self.app.app_context():
            tokens = self.world.tokens(self.person_id, self.account, scopes=scopes)
        self.refresh_token = tokens["refresh_token"]
        self.admin = Speaker(self.app.test_client(), tokens["access_token"], self.person_id)


@contextmanager
def a_place(make_database: MakeDatabase, name: str, size: Size) -> Iterator[Place]:
    """Build it, and let its first people and one admin in."""
    for app in programs.identity(lambda program, build: make_database(f"{program}_{name}", build)):
        grown(size)
        person_id = ids_of(range(1))[0]
        yield Place(app, a_world(app), person_id, home_of(person_id))


def grown(size: Size) -> None:
    """Make the crowd, with a bar on a terminal."""
    done, began = 0, time.monotonic()

    def tell(count: int) -> None:
        nonlocal done
        done += count
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done:,} of {size.rows:,} in {time.monotonic() - began:.0f} s")

    crowd.grow(size, with_password=TRIES, now=clock.now(), tell=tell)
    with db.transaction(everywhere=True) as session:
        session.execute(text("ANALYZE"))


def home_of(person_id: UUID) -> str:
    with db.reading(person=person_id) as session:
        return (
            session.scalars(
                select(Membership.tenant_id)
                .where(Membership.person_id == person_id, Membership.kind == "member")
                .order_by(Membership.created_at, Membership.id)
            ).first()
            or ""
        )


def sign_in(place: Place) -> None:
    number = place.signed_in = place.signed_in + 1
    visitor = Visitor(place.app, address=f"10.1.{number // 250}.{number % 250}")
    visitor.sign_in(email_of(number % TRIES), crowd.PASSWORD)
    assert "/sign-in/code" in visitor.response.request.path


def refresh(place: Place) -> None:
    fields = {"grant_type": "refresh_token", "refresh_token": place.refresh_token}
    answer = place.admin.client.post("/token", data=fields, headers=place.world.program.basic)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    place.refresh_token = answer.get_json()["refresh_token"]


def asking_for(listed: str) -> Callable[[Place], None]:
    def ask(place: Place) -> None:
        answer = place.admin.get(f"/accounts/{place.account}/{listed}")
        assert answer.status_code == 200, answer.get_data(as_text=True)

    return ask


def contexts(place: Place) -> None:
    assert place.admin.get("/me/contexts").status_code == 200


DEEDS: dict[str, Callable[[Place], None]] = {
    "sign-in": sign_in,
    "refresh": refresh,
    "my contexts": contexts,
    **{each: asking_for(each) for each in (*LISTS, *SEARCHES)},
}


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99) - 1]


@pytest.mark.security("18.6")
def test_a_large_installation_answers_as_quickly_as_a_small_one(make_database, monkeypatch, figure):
    for window in ("PER_CALLER", "PER_ACCOUNT"):
        monkeypatch.setattr(gate, window, ENDLESS)
    with ExitStack() as stack:
        places = [
            stack.enter_context(a_place(make_database, name, size))
            for name, size in (("small", SMALL), ("large", LARGE))
        ]
        for name, do in DEEDS.items():
            for place in places:
                place.enter()
            for _ in range(TRIES):
                for place in places:
                    with place.app.app_context():
                        began = time.perf_counter()
                        do(place)
                        place.times[name].append(time.perf_counter() - began)
    small, large = (place.times for place in places)
    ratios = {name: p99(large[name]) / p99(small[name]) for name in DEEDS}
    figure(
        "\n".join(
            f"{name:20} p99 {p99(small[name]) * 1000:7.2f} ms small, "
            f"{p99(large[name]) * 1000:7.2f} ms large, ratio {ratios[name]:.2f}"
            for name in DEEDS
        )
    )
    assert {name: ratio for name, ratio in ratios.items() if ratio > AT_MOST} == {}
