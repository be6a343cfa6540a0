import pytest

from idp.events import IdpEvent
from tenants.audit import Event, person_chain


@pytest.mark.parametrize("name", ["Sign-in", "sign in:failed", "signin", "a:b:c:d", "a::b", "a:B"])
def test_an_event_outside_the_grammar_cannot_be_defined(name):
    with pytest.raises(ValueError, match="no name of an event"):
        Event("Wrong", {"WRONG": name})  # type: ignore[call-arg]


def test_events_have_different_names():
    assert len({event.value for event in IdpEvent}) == len(IdpEvent.__members__)


def test_the_chain_of_a_person_names_the_person():
    assert person_chain("7") == "person:7"
