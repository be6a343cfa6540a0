"""Every route says who may use it, and what is open to everybody is open on purpose."""

import pytest
from flask import Flask

PUBLIC: dict[str, set[str]] = {
    "identity": set(),
    "portal": set(),
    "crm": set(),
}


@pytest.fixture(params=["identity", "portal", "crm"])
def program(request: pytest.FixtureRequest) -> tuple[str, Flask]:
    return request.param, request.getfixturevalue(f"{request.param}_app")


@pytest.mark.security("12.1")
def test_every_route_declares_who_may_use_it(program):
    _, app = program

    silent = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "requires", None) is None
    }

    assert silent == set()


@pytest.mark.security("12.1")
def test_what_is_public_is_public_on_purpose(program):
    name, app = program

    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "requires", None) == "public"
    }

    assert public == PUBLIC[name]


@pytest.mark.security("14.3")
def test_a_view_without_a_form_token_proves_its_caller_otherwise(program):
    _, app = program

    exempt = {
        app.view_functions[rule.endpoint].requires
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "csrf_exempt", False)
    }

    assert "session" not in exempt


@pytest.mark.security("14.3")
def test_no_path_is_spelled_in_two_ways(program):
    """One meaning per path: no trailing-slash twins, which some check would forget."""
    _, app = program
    paths = [rule.rule for rule in app.url_map.iter_rules()]

    twins = {path for path in paths if path != "/" and f"{path.rstrip('/')}/" in paths}

    assert twins == set()
