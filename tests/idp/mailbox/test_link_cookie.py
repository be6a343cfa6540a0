import pytest


@pytest.mark.security("3.2")
@pytest.mark.parametrize("path", ["/register/confirm", "/reset/confirm", "/welcome", "/not-me"])
def test_a_token_leaves_the_address_and_waits_in_a_cookie_that_no_script_reads(visitor, path):
    answer = visitor.client.get(f"{path}?token=the-token&utm=1")

    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if "klucznik_link" in one]
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert "the-token" in cookie
    assert "HttpOnly" in cookie


def test_without_a_token_nothing_is_kept(visitor):
    answer = visitor.client.get("/reset/confirm")

    assert answer.status_code == 400
    assert not [one for one in answer.headers.getlist("Set-Cookie") if "klucznik_link" in one]
