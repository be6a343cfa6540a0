"""The demo people, as they are printed."""

import pytest

from idp.credentials import password
from idp.credentials.breached import Nothing
from idp.demo import people


def test_each_line_says_how_to_sign_in_as_somebody():
    lines = people.lines()

    assert len(lines) == len(people.PEOPLE)
    for person, line in zip(people.PEOPLE, lines, strict=True):
        assert person.email in line
        assert person.password in line
        assert line.endswith(person.second_factor)


@pytest.mark.product("OPS-1")
def test_there_is_somebody_for_each_factor_and_each_language():
    assert {person.totp_secret is None for person in people.PEOPLE} == {True, False}
    assert {person.locale for person in people.PEOPLE} == {"pl", "en"}


@pytest.mark.parametrize("person", people.PEOPLE, ids=lambda person: person.given_name)
def test_their_passwords_are_as_good_as_anybody_s(person):
    context = (person.email, person.given_name, person.family_name)

    assert not password.why_refuse(
        person.password, min_length=12, context=context, breached=Nothing()
    )
