import pytest

from tenants.api_keys.text import Written, make, read

ACCOUNT = "0123456789ab"


def test_a_key_says_whose_it_is_and_is_read_back():
    written = make(ACCOUNT)

    assert read(str(written)) == written
    assert str(written).startswith(f"kl_{ACCOUNT}_")
    assert written.secret.endswith(written.hint)
    assert written.secret not in make(ACCOUNT)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "kl_",
        f"kl_{ACCOUNT}_short",
        str(Written("0123456789AB", "a" * 43)),
        str(Written(ACCOUNT, "a" * 44)),
        str(Written(ACCOUNT, "ą" * 43)),
        f"{Written(ACCOUNT, 'a' * 43)}\n",
        f" {Written(ACCOUNT, 'a' * 43)}",
    ],
)
def test_nothing_else_is_a_key(given):
    assert read(given) is None
