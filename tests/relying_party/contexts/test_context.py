import pytest
from flask import Flask

from relying_party.contexts.context import PERSON, Context, of_path, set_up

ACCOUNT, COMPANY = "0123456789ab", "0123456789abcdef"


@pytest.mark.parametrize(
    "context",
    [PERSON, Context(ACCOUNT), Context(ACCOUNT, COMPANY)],
    ids=["person", "account", "company"],
)
def test_what_is_spelled_is_read_back(context):
    assert Context.read(str(context)) == context


@pytest.mark.parametrize(
    "text",
    [
        "0123456789AB",
        "0123",
        f"{ACCOUNT}/",
        f"{ACCOUNT}/c/",
        f"{ACCOUNT}/c/12",
        f"{ACCOUNT}\n",
        "../x",
    ],
)
def test_nothing_else_is_a_context(text):
    with pytest.raises(ValueError, match="not a context"):
        Context.read(text)


@pytest.mark.parametrize(
    ("path", "context"),
    [
        (f"/a/{ACCOUNT}/", Context(ACCOUNT)),
        (f"/a/{ACCOUNT}", Context(ACCOUNT)),
        (f"/a/{ACCOUNT}?x=1", Context(ACCOUNT)),
        (f"/a/{ACCOUNT}/c/{COMPANY}/permissions?x=/a/", Context(ACCOUNT, COMPANY)),
        (f"/a/{ACCOUNT}0/", PERSON),
        (f"/b/a/{ACCOUNT}/", PERSON),
        ("/", PERSON),
    ],
)
def test_a_path_says_its_context(path, context):
    assert of_path(path) == context


def test_rules_have_contexts_in_them():
    app = Flask(__name__)
    set_up(app)
    app.add_url_rule("/a/<context:context>/things", "things", lambda context: str(context))
    with app.test_request_context():
        there = app.url_for("things", context=Context(ACCOUNT, COMPANY))

    assert there == f"/a/{ACCOUNT}/c/{COMPANY}/things"
    assert app.test_client().get(there).text == f"{ACCOUNT}/c/{COMPANY}"
    assert app.test_client().get(f"/a/{ACCOUNT}/things").text == ACCOUNT
    assert app.test_client().get("/a/nothing/things").status_code == 404
