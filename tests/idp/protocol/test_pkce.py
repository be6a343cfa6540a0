import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import pkce

VERIFIER = "v" * 43


@pytest.mark.security("6.4")
@pytest.mark.parametrize(
    "verifier", ["", "v" * 42, "v" * 129, "w" * 43, VERIFIER + "\n", "ż" * 43, "v v" + "v" * 41]
)
def test_nothing_but_the_verifier_proves_the_challenge(verifier):
    assert pkce.proves(VERIFIER, pkce.challenge_for(VERIFIER))
    assert not pkce.proves(verifier, pkce.challenge_for(VERIFIER))


def test_a_verifier_does_not_prove_itself():
    """That would be the method «plain»."""
    assert not pkce.proves(VERIFIER, VERIFIER)


@given(st.text())
def test_no_text_breaks_it(text):
    assert not pkce.proves(text, "c" * 43)
    assert pkce.is_challenge(text) in (True, False)
