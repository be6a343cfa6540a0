import json
import logging
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.observability import request_log
from kernel.observability.logs import configure_logging

GOOD: dict[str, Any] = {
    "program": "test",
    "request_id": "0011223344556677",
    "method": "GET",
    "route": "/account/<section>",
    "status": 200,
    "seconds": 0.01234,
}


@pytest.fixture(autouse=True)
def _configured():
    configure_logging("info", program="test")


def written(capsys, **changes):
    request_log.write(**GOOD | changes)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.security("17.2")
def test_an_answered_request_is_one_line_of_json(capsys):
    (line,) = written(capsys)

    moment = line.pop("timestamp")
    assert line == {
        "event": "request",
        "method": "GET",
        "route": "/account/<section>",
        "status": 200,
        "milliseconds": 12.3,
        "request_id": "0011223344556677",
        "level": "info",
        "logger": "kernel.observability.request_log",
        "program": "test",
    }
    assert moment.endswith("Z")
    assert "T" in moment


def test_a_line_looks_like_those_of_other_events(capsys):
    logging.getLogger("kernel.observability.request_log").info("request")
    other = json.loads(capsys.readouterr().out)

    (line,) = written(capsys)

    assert other.keys() < line.keys()
    assert len(line["timestamp"]) == len(other["timestamp"])


@pytest.mark.security("17.2")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.text(), request_id=st.text(), route=st.text())
def test_no_request_can_forge_a_line(capsys, method, request_id, route):
    (line,) = written(capsys, method=method, request_id=request_id, route=route)

    assert line["status"] == 200
    assert line["method"].isprintable()
    assert line["route"].isprintable()


def test_a_made_up_method_does_not_make_a_long_line(capsys):
    (line,) = written(capsys, method="E" * 10_000)

    assert len(line["method"]) == 20


def test_an_operator_who_wants_warnings_only_gets_no_such_line(capsys):
    configure_logging("warning")

    assert written(capsys) == []


def test_a_log_that_is_gone_stops_nobodys_request(monkeypatch):
    class Gone:
        def write(self, _: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())

    request_log.write(**GOOD)
