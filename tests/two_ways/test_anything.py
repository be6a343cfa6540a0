"""Whatever somebody may think up, both ways answer the same."""

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.idp.provider import API, CALLBACK, App, a_person, a_query, an_app
from tests.two_ways.ways import FORM, Ways, same, sent

_texts = st.text(max_size=20) | st.sampled_from(
    ["client_credentials", "refresh_token", "openid", API, "a.b.c", "%41", "+", "&=", "\x00", "é"]
)


_names = st.sampled_from(
    ["grant_type", "scope", "resource", "client_id", "client_secret", "token", "access_token"]
) | st.text(max_size=8)


_bodies = st.lists(st.tuples(_names, _texts), max_size=6).map(
    lambda pairs: urlencode(pairs, errors="replace").encode()
) | st.binary(max_size=60)


@pytest.mark.security("15.1", "20.6")
@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    path=st.sampled_from(["/token", "/introspect", "/userinfo"]),
    body=_bodies,
    content_type=st.sampled_from([FORM, FORM, FORM, f"{FORM}; charset=UTF-8", "text/plain", ""]),
    authorization=st.none()
    | st.sampled_from(["Bearer a.b.c", "Basic eDp5", "Basic OjpweA==", "Basic /w=="])
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
@example(path="/token", body=b"grant_type=client_credentials", content_type=FORM, authorization="")
@example(path="/userinfo", body=b"access_token=%", content_type=FORM, authorization=None)
def test_whatever_is_sent_both_answer_the_same(
    lasting: Ways, path: str, body: bytes, content_type: str, authorization: str | None
):
    headers = {} if authorization is None else {"Authorization": authorization}

    same(lasting, path, method="POST", data=body, content_type=content_type, headers=headers)


@pytest.fixture(scope="module")
def lasting_session(lasting: Ways) -> tuple[App, str]:
    """An application that asks again and again, and the cookie of somebody who is signed in."""
    app = an_app(first_party=True)
    return app, sent(lasting, a_person(), "")["headers"]["Cookie"]


_asked_names = st.sampled_from(
    [
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
        *("prompt", "max_age", "acr_values", "flow", "code_challenge", "resource", ""),
        *("account", "company"),
    ]
)


_asked_values = st.text(max_size=8) | st.sampled_from(
    [*("code", "openid", "none", "consent", "query", "0", "60", "en", CALLBACK, API, "", "0" * 12)]
)


@pytest.mark.security("15.1", "20.6")
@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    changed=st.dictionaries(_asked_names, st.none() | _asked_values, max_size=3),
    added=st.lists(st.tuples(_asked_names, _asked_values), max_size=2),
    cookie=st.sampled_from(["{0}", "{0}", "a=b; {0}", "{0};{0}", "{0}; a", "x{0}", '{0}; b="c"'])
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
@example(changed={}, added=[], cookie="{0}")
def test_whatever_an_application_asks_both_answer_the_same(
    lasting: Ways,
    lasting_session: tuple[App, str],
    changed: dict[str, str | None],
    added: list[tuple[str, str]],
    cookie: str,
):
    app, session_cookie = lasting_session
    query = urlencode([*a_query(app, **changed).items(), *added], errors="replace")
    headers = {"Cookie": cookie.replace("{0}", session_cookie)}

    same(lasting, "/authorize", query_string=query, headers=headers)
