import pytest

from kernel.api import Answer, Api, Call, Demand, Reply

ANYBODY = Demand(permission=None, words="For everybody.")


class Thing(Answer):
    """A thing."""

    name: str


@pytest.fixture
def api() -> Api:
    return Api("things", prefix="/api", title="Things", version="1", words="")


def declared(api: Api, view, path="/things/{thing}", **said):
    api.get(path, tag="Things", demand=ANYBODY, **said)(view)
    return api.operations[-1]


def test_a_function_says_by_its_signature_what_an_operation_is(api):
    def get_thing(call: Call[str], thing: str) -> Reply[Thing]:
        """Read a thing.

        All of it,
        at once.
        """
        return Reply(Thing(name=thing))

    operation = declared(api, get_thing)

    assert (operation.id, operation.summary) == ("get_thing", "Read a thing")
    assert operation.description == "All of it, at once."
    assert (operation.answer, operation.status) == (Thing, 200)
    assert list(operation.gaps) == ["thing"]


def test_an_operation_that_answers_nothing_says_so(api):
    def remove_thing(call: Call[str], thing: str) -> None:
        """Remove a thing."""

    assert declared(api, remove_thing).status == 204


def test_a_parameter_that_nothing_gives_is_a_mistake(api):
    def get_thing(call: Call[str], thing: str, who: str) -> Thing:
        """Read a thing."""
        return Thing(name=thing + who)

    with pytest.raises(TypeError, match="nothing gives it"):
        declared(api, get_thing)


def test_an_answer_is_a_model(api):
    def get_thing(call: Call[str], thing: str) -> dict[str, str]:
        """Read a thing."""
        return {"name": thing}

    with pytest.raises(TypeError, match="no model"):
        declared(api, get_thing)


def test_no_two_operations_have_one_name(api):
    def get_thing(call: Call[str], thing: str) -> Thing:
        """Read a thing."""
        return Thing(name=thing)

    declared(api, get_thing)

    with pytest.raises(ValueError, match="get_thing"):
        declared(api, get_thing)


def test_an_operation_without_a_version_has_none_to_expect(now):
    with pytest.raises(LookupError):
        Call("caller", now, None).expected_version  # noqa: B018 (a property)
