import pytest

from kernel.i18n.letters import in_order
from tenants.accounts.details import NotValid
from tenants.members.details import cleaned, folded, sort_name


def test_what_is_typed_is_cleaned():
    assert cleaned({"given_name": "  Anna   Maria ", "phone": " +48 (22) 123-45-67 "}) == {
        "given_name": "Anna Maria",
        "phone": "+48 (22) 123-45-67",
    }


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_nothing_typed_is_nothing(empty):
    assert cleaned({"family_name": empty, "locale": empty}) == {"family_name": None, "locale": None}


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "anna@example.com"),
        ("state", "active"),
        ("given_name", 7),
        ("given_name", "x" * 101),
        ("given_name", "x" * 1_001),
        ("family_name", "a\u202eb"),
        ("phone", "0"),
        ("phone", "=1+1"),
        ("phone", "1" * 33),
        ("locale", "de"),
    ],
)
def test_what_a_field_cannot_be_is_refused_and_the_field_named(field, value):
    with pytest.raises(NotValid) as refused:
        cleaned({field: value})

    assert refused.value.field == field


def test_lists_go_by_family_name_and_by_the_address_without_a_name():
    assert sort_name("Anna", "Żak", "a@example.com") == in_order("żak anna")
    assert sort_name("Anna", None, "a@example.com") == "anna"
    assert sort_name(None, None, "a@example.com") == "a@example.com"
    assert len(sort_name("x" * 100, "ﷺ" * 100, "a@example.com")) == 210


def test_texts_are_compared_without_case_and_form():
    assert folded("ＳＴＲＡẞＥ") == folded("strasse")
