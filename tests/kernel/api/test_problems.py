import pytest

from kernel.api import problems
from kernel.api.problems import Fault, NotValid, ScopeMissing
from kernel.errors import NotFound, Refused

HERE = "https://id.example/api/docs"


class NoFolder(NotFound):
    """There is no such folder. It may have been moved."""

    reason = "no_folder"


class BadField(Refused):
    """A field is wrong. Its name is kept."""

    def __init__(self, field: str) -> None:
        super().__init__("for the log")
        self.field = field


@pytest.mark.security("13.6")
def test_whatever_was_not_found_it_is_the_same_problem():
    one = problems.describe(NoFolder("a folder"), described_at=HERE, pointers={})
    other = problems.describe(NotFound("a shelf"), described_at=HERE, pointers={})

    assert one == other


def test_a_refusal_that_knows_its_field_points_at_it():
    body = problems.describe(BadField("a/b"), described_at=HERE, pointers={})

    assert body["errors"][0]["pointer"] == "/a~1b"
    assert body["title"] == "A field is wrong"


def test_a_pointer_for_a_kind_is_one_for_its_special_kinds_too():
    body = problems.describe(BadField("x"), described_at=HERE, pointers={Refused: "/all"})

    assert body["errors"][0]["pointer"] == "/all"


def test_all_faults_are_told_at_once():
    faults = [Fault(pointer="/a", code="x", detail="A"), Fault(parameter="b", code="y", detail="B")]

    body = problems.describe(NotValid(faults), described_at=HERE, pointers={})

    assert body["errors"] == [
        {"pointer": "/a", "code": "x", "detail": "A"},
        {"parameter": "b", "code": "y", "detail": "B"},
    ]


@pytest.mark.security("7.8")
def test_a_missing_scope_is_named_in_the_challenge(kernel_app):
    response = problems.answer(ScopeMissing("accounts"), described_at=HERE)

    assert response.headers["WWW-Authenticate"] == (
        'Bearer realm="klucznik", error="insufficient_scope", scope="accounts"'
    )
