"""How long an answer takes tells nobody who has an ID: two hundred tries at each door."""

import time
from collections.abc import Callable
from statistics import median

import pytest
from flask import Flask

from tests.idp.visitor import Visitor, a_person

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
