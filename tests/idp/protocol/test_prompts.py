import pytest

from idp.protocol import prompts


@pytest.mark.parametrize("words", [[], ["none"], ["login", "consent"]])
def test_prompts_that_can_be_followed(words):
    assert prompts.why_refuse(words) is None


@pytest.mark.parametrize("words", [["unknown"], ["Login"], ["login", "create"]])
def test_a_word_that_is_not_supported_is_refused(words):
    assert prompts.why_refuse(words) == "prompt has a value that is not supported"


@pytest.mark.product("OP-1")
def test_none_stands_alone():
    assert prompts.why_refuse(["none", "consent"]) == "prompt none stands with nothing else"
