import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.observability.logs import (
    HIDDEN,
    bind_request,
    configure_logging,
    describe_exception,
    encode_controls,
    forget_request,
    get_logger,
    hide_secrets,
)


@pytest.fixture
def log():
    configure_logging("info", program="test")
    yield get_logger("tests")
    forget_request()


def lines(capsys) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.security("17.2")
def test_an_event_is_one_line_of_json_with_its_fields(log, capsys):
    log.info("mail_sent", lane="security", tries=2)

    (line,) = lines(capsys)
    assert line["event"] == "mail_sent"
    assert (line["lane"], line["tries"], line["level"]) == ("security", 2, "info")
    assert line["program"] == "test"
    assert line["timestamp"].endswith("Z")


def test_what_belongs_to_a_request_is_on_each_of_its_lines(log, capsys):
    bind_request(request_id="abc")
    log.info("one")
    forget_request()
    log.info("two")

    one, two = lines(capsys)
    assert one["request_id"] == "abc"
    assert "request_id" not in two


@pytest.mark.security("17.2", "20.8")
@pytest.mark.parametrize(
    "name",
    [
        "password", "new_password", "client_secret", "access_token", "refresh_token", "id_token",
        "code", "authorization_code_token", "Authorization", "Cookie", "Set-Cookie", "client_assertion",
        "totp_secret", "recovery_codes", "api_key", "code_verifier", "state", "nonce", "query",
        "query_string", "private_key", "csrf_token", "body", "url", "redirect_uri", "secret_hash",
    ],
)  # fmt: skip
def test_a_field_that_sounds_like_a_secret_loses_its_value(log, capsys, name):
    log.info("something", **{name: "s3cret"})

    assert lines(capsys)[0][name] == HIDDEN


@pytest.mark.security("17.2")
def test_secrets_are_found_at_any_depth(log, capsys):
    log.info("something", request={"headers": [1], "form": {"password": "s3cret"}, "list": [
        {"token": "s3cret"}]}, raw=b"s3cret")  # fmt: skip

    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["request_id", "status", "event", "token_type", "client_id", "sub"]
)
def test_other_fields_keep_theirs(name):
    assert hide_secrets(None, "info", {name: "kept"}) == {name: "kept"}


@pytest.mark.security("17.2")
def test_what_libraries_log_passes_the_same_way(log, capsys):
    logging.getLogger("library").warning("something %s", "happened")

    (line,) = lines(capsys)
    assert (line["event"], line["logger"]) == ("something happened", "library")


@pytest.mark.security("17.2")
@pytest.mark.parametrize("name", ["authlib", "sqlalchemy.engine", "urllib3.connectionpool"])
def test_libraries_that_tell_too_much_are_silent_even_when_we_debug(name, capsys):
    configure_logging("debug")

    logging.getLogger(name).info("token s3cret")

    assert "s3cret" not in capsys.readouterr().out


@pytest.mark.security("17.2")
@given(st.text())
def test_no_value_can_forge_a_line_or_steer_a_terminal(text):
    written = encode_controls(None, "info", {"event": "x", "value": text})["value"]

    assert written.isprintable()


def test_a_long_value_is_cut(log, capsys):
    log.info("something", value="a" * 10_000)

    assert len(lines(capsys)[0]["value"]) < 3_000


@pytest.mark.security("17.2", "17.3")
def test_an_exception_is_logged_by_type_and_place_and_without_its_words(log, capsys):
    try:
        try:
            raise ValueError("password=s3cret")
        except ValueError as inner:
            raise RuntimeError("INSERT ... s3cret") from inner
    except RuntimeError:
        log.exception("something_failed")

    written = capsys.readouterr().out
    line = json.loads(written)
    assert "builtins.RuntimeError" in line["exception"]
    assert "builtins.ValueError" in line["exception"]
    assert any("test_logs.py" in place for place in line["exception"])
    assert "s3cret" not in written


def test_a_ring_of_causes_ends():
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one

    assert len(describe_exception(one)) == 5


def test_setting_up_twice_does_not_write_twice(capsys):
    configure_logging()
    configure_logging()

    get_logger("tests").info("once")

    assert len(lines(capsys)) == 1
