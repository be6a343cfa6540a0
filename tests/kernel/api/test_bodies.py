import pytest
from werkzeug.datastructures import MultiDict

from kernel.api import Asked, PageQuery, bodies
from kernel.api.problems import Malformed, NotJson, NotValid


class Note(Asked):
    """A note."""

    text: str


def test_a_body_is_read_as_its_model():
    note = bodies.read_body(
        Note, b'{"text": "za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87"}', mimetype="application/json"
    )

    assert note.text == "zażółć"


@pytest.mark.parametrize(
    ("raw", "kind", "refusal"),
    [
        (b'{"text": "a"}', "text/json", NotJson),
        (b'{"text": "a"', "application/json", Malformed),
        (b'{"text": "a", "text": "a"}', "application/json", Malformed),
        (b'{"text": {"a": 1, "a": 2}}', "application/json", Malformed),
        (b'{"text": Infinity}', "application/json", Malformed),
        (b'{"a\\u0000": "a"}', "application/json", Malformed),
        (b'{"text": ["\\udfff"]}', "application/json", Malformed),
        (b'{"text": 1}', "application/json", NotValid),
    ],
)
def test_what_can_be_read_in_two_ways_is_not_read(raw, kind, refusal):
    with pytest.raises(refusal):
        bodies.read_body(Note, raw, mimetype=kind)


def test_a_parameter_comes_once():
    with pytest.raises(NotValid) as refused:
        bodies.read_query(PageQuery, MultiDict([("limit", "1"), ("limit", "1")]))

    assert refused.value.faults[0].parameter == "limit"
