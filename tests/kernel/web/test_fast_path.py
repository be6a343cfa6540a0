"""What is taken in front of Flask, and what is left to it as it came."""

import io
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.sansio.http import parse_cookie
from werkzeug.test import Client, TestResponse

from kernel import program
from kernel.web import csrf_exempt, public
from kernel.web.fast_path import Answer, Asked, FastPath, parse_cookies, parse_pairs, read_form
from tests.kernel.web.a_program import a_program

FORM = "application/x-www-form-urlencoded"


class Front:
    """A program with one address that is answered on both ways, each saying which."""

    def __init__(self, *, also_for_browsers: bool = False) -> None:
        self.app = a_program()
        self.asked: list[Asked] = []
        self.fails = False

        @self.app.route("/both", methods=["GET", "POST"])
        @public
        @csrf_exempt
        def both() -> str:
            return f"flask {request.form.to_dict()}"

        addresses = [(method, "/both") for method in ("GET", "POST")]
        front = FastPath(
            self.app,
            dict.fromkeys(addresses, self.answer),
            also_for_browsers=addresses if also_for_browsers else [],
        )
        self.client = Client(front, TestResponse, use_cookies=False)

    def answer(self, asked: Asked) -> Answer | None:
        self.asked.append(asked)
        assert program.extensions() is self.app.extensions
        if self.fails:
            raise LookupError("a reason that nobody is told")
        if asked.form == [("leave", "it")]:
            return None
        return Answer(200, (("Content-Type", "text/plain"),), b"fast")

    def open(self, **changes: Any) -> str:
        wanted = {"base_url": f"http://{self.app.config['SERVER_NAME']}"} | changes
        return self.client.open("/both", **wanted).get_data(as_text=True)


@pytest.fixture
def front() -> Front:
    return Front()


def test_a_plain_request_is_answered_in_front(front: Front):
    assert front.open() == "fast"
    assert front.open(method="POST", data={"a": "b"}) == "fast"
    assert [asked.form for asked in front.asked] == [None, [("a", "b")]]


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"query_string": "a=b"},
        {"headers": {"Cookie": "a=b"}},
        {"environ_overrides": {"HTTP_TRANSFER_ENCODING": "chunked"}},
        {"environ_overrides": {"RAW_URI": "/%62oth"}},
        {"environ_overrides": {"SCRIPT_NAME": "/x"}},
        {"method": "POST", "data": {"a": "ż"}},
        {"method": "POST", "data": {"a": "b" * 20_000}},
        {"method": "POST", "data": b"{}", "content_type": "application/json"},
        {"method": "POST", "data": b"a=b", "content_type": f"{FORM}; charset=latin-2"},
        {"method": "PUT"},
        {"base_url": "http://elsewhere.example"},
    ],
)
def test_what_is_unusual_is_left_to_flask(front: Front, changes: dict[str, Any]):
    assert front.open(**changes) != "fast"
    assert front.asked == []


def test_where_browsers_are_expected_their_query_and_cookies_are_read():
    front = Front(also_for_browsers=True)

    answer = front.open(query_string="a=b%20c&a=d", headers={"Cookie": "a=1; b=2"})

    assert answer == "fast"
    assert front.asked[0].query == [("a", "b c"), ("a", "d")]
    assert front.asked[0].cookies == {"a": "1", "b": "2"}


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"query_string": "a=%C5%BC"},
        {"query_string": "a=%00"},
        {"headers": {"Cookie": 'a="b"'}},
        {"headers": {"Cookie": "a"}},
        {"headers": {"Cookie": "a=ż".encode().decode("latin-1")}},
        {"environ_overrides": {"RAW_URI": "/%62oth?a=b"}},
    ],
)
def test_what_is_unusual_about_a_browser_is_left_to_flask(changes: dict[str, Any]):
    front = Front(also_for_browsers=True)

    assert front.open(**changes) != "fast"
    assert front.asked == []


def test_a_handler_may_leave_a_request_whose_body_flask_reads_again(front: Front):
    assert front.open(method="POST", data={"leave": "it"}) == "flask {'leave': 'it'}"


@pytest.mark.security("17.3")
def test_a_failure_is_flasks_to_answer(front: Front):
    front.fails = True
    front.app.config["TESTING"] = False

    page = front.open()

    assert "flask" not in page
    assert "reason that nobody" not in page
    assert len(front.asked) == 1
    with pytest.raises(RuntimeError):
        program.extensions()


def test_who_is_in_front_answers_unknown_addresses_as_flask_does(front: Front):
    answer = front.client.get("/nowhere", base_url=f"http://{front.app.config['SERVER_NAME']}")

    assert answer.status_code == 404


def test_a_body_is_read_by_its_length(front: Front):
    def environ(body: bytes, length: str) -> dict[str, Any]:
        return {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(body)}

    assert read_form(environ(b"a=b&c=d", "3")) == [("a", "b")]
    cut_short = environ(b"a=b", "9")
    assert read_form(cut_short) is None
    assert cut_short["wsgi.input"].read() == b"a=b"
    for length in ("", "-1", "x", "16385", "٣"):
        untouched = environ(b"a=b", length)
        assert read_form(untouched) is None
        assert untouched["wsgi.input"].read() == b"a=b"


_cookies = st.lists(st.sampled_from([*'ab=;, \t"\\\x00\x7f', "; ", "a=b", "é"])).map("".join)


@pytest.mark.security("15.1")
@given(_cookies)
def test_cookies_are_read_as_flask_reads_them_or_not_at_all(header: str):
    ours = parse_cookies(header)

    assert ours is None or ours == parse_cookie(header).to_dict()


_bodies = st.lists(st.sampled_from([*"ab&=%+;4125 \x00\n\x7f", "é", "%C5", "%00"])).map("".join)


@pytest.mark.security("15.1")
@given(_bodies)
def test_a_form_is_read_as_flask_reads_it_or_not_at_all(text: str):
    body = text.encode()
    with Flask("f").test_request_context("/", method="POST", data=body, content_type=FORM):
        by_flask = list(request.form.items(multi=True))

    ours = parse_pairs(body.decode("latin-1"))

    assert ours is None or sorted(ours) == sorted(by_flask)
    if body.isascii() and text.isprintable() and "%" not in text:
        assert ours is not None
