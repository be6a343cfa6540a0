import pytest

from portal.home import quick_access
from portal.settings import PortalSettings


def groups(app, **settings) -> list[quick_access.Group]:
    with app.test_request_context():
        return quick_access.groups(
            PortalSettings(**settings), applications_url="/applications", contexts_url="/contexts"
        )


def texts(app, **settings) -> list[list[str]]:
    return [[link.text for link in group.links] for group in groups(app, **settings)]


@pytest.mark.product("POR-1")
def test_there_is_a_link_only_to_what_is_there(app):
    assert texts(app) == [
        ["Moje aplikacje"],
        ["Profil", "Bezpieczeństwo logowania", "Otwarte sesje", "Konta firm"],
        [],
    ]


@pytest.mark.product("POR-1")
def test_what_the_operator_names_is_linked(app):
    found = texts(
        app,
        shop_url="https://shop.example",
        help_url="https://help.example",
        documentation_url="https://docs.example",
    )

    assert found[0] == ["Moje aplikacje", "Sklep online"]
    assert found[2] == ["Centrum pomocy", "Dokumentacja"]


def test_a_group_without_links_says_why(app):
    assert groups(app)[2].nothing
