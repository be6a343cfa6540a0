import pytest

from idp.protocol import scopes


def test_order_and_repetition_mean_nothing():
    assert scopes.parse(" openid email  openid ") == ("openid", "email")
    assert scopes.parse("") == ()


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("", True),
        ("openid reports:read", True),
        ('open"id', False),
        ("open\\id", False),
        ("openid\temail", False),
        ("zażółć", False),
        ("s" * 1_001, False),
        (" ".join(f"s{number}" for number in range(51)), False),
    ],
)
def test_a_list_of_scopes_is_well_formed(text, is_fine):
    assert scopes.is_well_formed(text) is is_fine
