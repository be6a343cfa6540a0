import pytest

from idp.protocol import prompts


@pytest.mark.parametrize("words", [[], ["none"], ["login", "consent"], ["unknown"]])
def test_prompts_that_can_be_followed(words):
    assert prompts.why_refuse(words) is None


@pytest.mark.product("OP-1")
def test_none_stands_alone():
    assert prompts.why_refuse(["none", "consent"]) == "prompt none stands with nothing else"
