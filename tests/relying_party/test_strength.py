import pytest

from relying_party import strength


@pytest.mark.parametrize(
    ("acr", "words"),
    [
        ("urn:klucznik:acr:two-factor", "dwa składniki"),
        ("urn:klucznik:acr:mail-code", "hasło i kod z e-maila"),
        ("something else", ""),
        (None, ""),
    ],
)
def test_the_strength_of_a_sign_in_is_said_in_words(app, acr, words):
    with app.test_request_context():
        assert strength.in_words(acr) == words
