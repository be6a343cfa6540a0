import pytest

from kernel.i18n.letters import in_order

ALPHABET = "aąbcćdeęfghijklłmnńoópqrsśtuvwxyzźż"


@pytest.mark.product("OPS-4")
def test_the_letters_are_in_the_order_of_the_polish_alphabet():
    assert sorted(set(ALPHABET), key=in_order) == list(ALPHABET)


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize("letter", "ąćęłńóśźż")
def test_a_word_with_a_marked_letter_stands_after_all_with_the_plain_one(letter):
    plain = in_order(letter)[0]

    assert in_order(f"{plain}zz") < in_order(f"{letter}a") < in_order(f"{chr(ord(plain) + 1)}a")


def test_case_and_form_make_no_difference():
    assert in_order("ŻABKA") == in_order("z\u0307abka")
    assert in_order("ＳＴＲＡẞＥ") == in_order("strasse")


def test_part_of_a_name_is_found_in_it():
    assert in_order("ŁĄKA") in in_order("Zielona Łąka")
    assert in_order("laka") not in in_order("Zielona Łąka")
