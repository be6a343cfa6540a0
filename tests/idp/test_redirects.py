import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from idp.redirects import add_to_query, as_a_query, redirect_exactly


def test_an_address_keeps_what_it_has():
    fields = [("state", "ż +%&=")]

    assert add_to_query("https://a.example/cb", fields) == (
        "https://a.example/cb?state=%C5%BC%20%2B%25%26%3D"
    )
    assert add_to_query("https://a.example/cb?", fields).startswith("https://a.example/cb?state=")
    assert add_to_query("com.example:/cb", fields).startswith("com.example:/cb?state=")


def test_a_redirect_is_followed_byte_for_byte():
    response = redirect_exactly("https://a.example/%7Ecb?x=%20")

    assert response.headers["Location"] == "https://a.example/%7Ecb?x=%20"


@pytest.mark.security("15.1")
def test_a_form_that_fits_in_no_address_is_too_large():
    assert as_a_query("/a", [("state", "ż")]).headers["Location"] == "/a?state=%C5%BC"

    with pytest.raises(RequestEntityTooLarge):
        as_a_query("/a", [("state", "x" * 900_000)])
