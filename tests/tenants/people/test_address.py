import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.people.address import NotAnAddress, canonical_email


@pytest.mark.product("ID-2")
@pytest.mark.security("2.9")
@pytest.mark.parametrize(
    "typed",
    [
        "ANNA@example.com",
        "  anna@example.com\t",
        "ａｎｎａ@example.com",
        "anna@EXAMPLE.COM",
        "Anna@Example.Com",
    ],
)
def test_one_address_has_one_key_however_it_is_typed(typed):
    assert canonical_email(typed).key == "anna@example.com"


@pytest.mark.product("ID-2")
def test_the_domain_is_compared_in_its_ascii_form():
    assert (
        canonical_email("anna@żółw.example").key
        == canonical_email("anna@XN--W-UGA1V8H.example").key
        == "anna@xn--w-uga1v8h.example"
    )


@pytest.mark.security("3.4")
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "anna",
        "@example.com",
        "anna@",
        "a@example.com,b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "Anna <anna@example.com>",
        "anna@example.com\r\nBcc: all@example.com",
        "anna@example.com\x00",
        "anna@[127.0.0.1]",
        '"anna"@example.com',
        "anna@localhost",
        "anna@exam\u200bple.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 300 + ".com",
        ["anna@example.com"],
        {"email": "anna@example.com"},
        None,
        7,
    ],
)
def test_what_is_not_one_plain_address_is_refused(typed):
    with pytest.raises(NotAnAddress):
        canonical_email(typed)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_and_reading_it_twice_changes_nothing(text):
    try:
        address = canonical_email(text)
    except NotAnAddress:
        return

    assert canonical_email(address.display).key == address.key
    assert canonical_email(address.key).key == address.key
