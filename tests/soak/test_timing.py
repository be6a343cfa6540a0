"""How long an answer takes tells nobody who has an ID: two hundred tries at each door."""

import time
from collections.abc import Callable
from math import ceil
from statistics import median

import bcrypt
import pytest
from flask import Flask

from idp.credentials import foreign_hashes, password
from idp.credentials.password import ImportedHash
from tenants.database import db
from tests.idp.visitor import LONG_AGO, Visitor, a_person

TRIES = 200
# Of a thousand fair comparisons one goes beyond this.
WITHIN_THE_NOISE = 3.3


def wrong_password(visitor: Visitor, email: str) -> float:
    visitor.get("/account").submit("/sign-in", email=email)
    return timed(lambda: visitor.submit("/sign-in/password", password="not the right one"))


def registration(visitor: Visitor, email: str) -> float:
    visitor.get("/register")
    return timed(lambda: visitor.submit("/register", email=email))


def reset(visitor: Visitor, email: str) -> float:
    visitor.get("/reset")
    return timed(lambda: visitor.submit("/reset", email=email))


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def distance(some: list[float], others: list[float]) -> float:
    """How far two samples are apart, in standard deviations of their ranks (Mann and Whitney).

    Ranks, because one slow answer of a busy machine must not decide.
    """
    ranked = sorted([(value, True) for value in some] + [(value, False) for value in others])
    rank_sum = sum(rank for rank, (_, is_of_some) in enumerate(ranked, 1) if is_of_some)
    n, m = len(some), len(others)
    expected = n * (n + m + 1) / 2
    spread = (n * m * (n + m + 1) / 12) ** 0.5
    return abs(rank_sum - expected) / float(spread)


@pytest.mark.product("ID-4")
@pytest.mark.security("2.4", "20.10")
@pytest.mark.parametrize("door", [wrong_password, registration, reset])
def test_a_known_and_an_unknown_address_take_the_same_time(identity_app: Flask, door, figure):
    emails = [f"person{number}@klucznik.example" for number in range(TRIES)]
    for email in emails[::2]:
        a_person(email)

    times: dict[bool, list[float]] = {True: [], False: []}
    for number, email in enumerate(emails):
        visitor = Visitor(identity_app, address=f"10.0.{number // 250}.{number % 250}")
        times[number % 2 == 0].append(door(visitor, email))

    known, unknown = times[True], times[False]
    apart = distance(known, unknown)
    figure(
        f"{door.__name__}: known {median(known) * 1000:.2f} ms, "
        f"unknown {median(unknown) * 1000:.2f} ms, {apart:.1f} deviations apart"
    )
    assert apart < WITHIN_THE_NOISE


@pytest.mark.product("ID-8")
@pytest.mark.security("2.4")
@pytest.mark.parametrize("cost", [6, 10])
def test_an_imported_hash_and_an_unknown_address_take_the_same_time(
    identity_app: Flask, cost: int, figure
):
    """Cheaper to verify than ours (bcrypt 6), and dearer (10)."""
    stored = bcrypt.hashpw(b"theirs", bcrypt.gensalt(cost)).decode()
    milliseconds = ceil(foreign_hashes.read(stored).milliseconds)
    emails = [f"person{number}@klucznik.example" for number in range(TRIES)]
    for email in emails[::2]:
        imported = ImportedHash(a_person(email, password_=None), stored, milliseconds)
        with db.transaction() as session:
            password.adopt(session, [imported], now=LONG_AGO)

    times: dict[bool, list[float]] = {True: [], False: []}
    for number, email in enumerate(emails):
        visitor = Visitor(identity_app, address=f"10.0.{number // 250}.{number % 250}")
        times[number % 2 == 0].append(wrong_password(visitor, email))

    imported_, unknown = times[True], times[False]
    apart = distance(imported_, unknown)
    figure(
        f"bcrypt {cost}: imported {median(imported_) * 1000:.2f} ms, "
        f"unknown {median(unknown) * 1000:.2f} ms, {apart:.1f} deviations apart"
    )
    assert apart < WITHIN_THE_NOISE
