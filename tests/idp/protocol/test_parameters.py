import pytest

from idp.protocol.errors import InvalidRequest
from idp.protocol.parameters import Parameters


@pytest.mark.security("6.8")
@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([("state", "a"), ("state", "a")], "parameter state is repeated"),
        ([("state", ""), ("state", "a")], "parameter state is repeated"),
        ([("state", "s" * 2_001)], "parameter state is too long"),
        ([("anything", "s" * 2_001)], "parameter anything is too long"),
        ([("a" * number, "") for number in range(61)], "too many parameters"),
    ],
)
def test_a_request_is_refused_when(pairs, reason):
    parameters = Parameters(pairs)

    assert parameters.why_refuse() == reason
    with pytest.raises(InvalidRequest):
        parameters.check()


def test_an_empty_value_counts_as_absent():
    parameters = Parameters([("scope", ""), ("state", "x")])

    assert "scope" not in parameters
    assert list(parameters) == ["state"]
    assert len(parameters) == 1


def test_resource_may_be_named_several_times():
    parameters = Parameters([("resource", "https://a.example"), ("resource", "https://b.example")])

    assert parameters.why_refuse() is None
    assert parameters.resources == ("https://a.example", "https://b.example")
