import pytest

from tenants.accounts.details import NotANip, NotValid, cleaned, sort_name


@pytest.mark.product("TEN-2")
@pytest.mark.parametrize(
    "typed", ["5260001246", "526-000-12-46", "PL 526 000 12 46", "PL5260001246"]
)
def test_a_nip_is_ten_digits_however_it_is_typed(typed):
    assert cleaned({"nip": typed}) == {"nip": "5260001246"}


@pytest.mark.product("TEN-2")
@pytest.mark.parametrize(
    "typed", ["5260001247", "526000124", "52600012466", "abcdefghij", "٥٢٦٠٠٠١٢٤٦", "1" * 41]
)
def test_a_nip_with_a_wrong_check_digit_or_form_is_refused(typed):
    with pytest.raises(NotValid) as refused:
        cleaned({"nip": typed})

    assert refused.value.field == "nip"
    assert refused.value.status == 422


def test_a_wrong_nip_says_that_it_is_none():
    with pytest.raises(NotANip):
        cleaned({"nip": "5260001247"})


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_what_is_empty_is_nothing(empty):
    assert cleaned({"nip": empty, "street": empty}) == {"nip": None, "street": None}


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", "x" * 201),
        ("name", "x" * 10_000),
        ("name", 7),
        ("name", "Dom\u202egro"),
        ("street", "x" * 201),
        ("postcode", "x" * 17),
        ("town", "x" * 101),
        ("country", "Polska"),
        ("country", "P1"),
        ("country", None),
        ("colour", "red"),
    ],
)
def test_a_value_that_a_field_cannot_have_is_refused_and_the_field_is_named(field, value):
    with pytest.raises(NotValid) as refused:
        cleaned({field: value})

    assert refused.value.field == field


def test_countries_are_two_capital_letters():
    assert cleaned({"country": "de"}) == {"country": "DE"}


def test_blanks_are_single_and_letters_are_composed():
    assert cleaned({"name": " Ły\tz\u0307ka \n Sp.  z o.o."}) == {"name": "Ły żka Sp. z o.o."}


def test_names_are_sorted_and_searched_without_case():
    assert sort_name("ŻABKA") == sort_name("żabka")
