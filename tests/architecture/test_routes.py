"""Every route says who may use it, and what is open to everybody is open on purpose."""

import inspect

import pytest
from flask import Flask
from werkzeug.routing import Rule

from relying_party.contexts.context import Context

# Open to everybody, in every program.
EVERYWHERE = {
    "health.live",
    "health.ready",
    "preferences.choose",
    "reports.receive",
    "static_files.favicon",
    "static_files.file",
    "static_files.robots",
}
# Signing in and out, at a relying party.
RELYING_PARTY = {
    "logout.ask",
    "logout.done",
    "logout.sign_out",
    "sign_in.finish",
    "sign_in.start",
}
# What applications begin, or read of the provider; and signing out.
PROVIDER = {
    "authorize.resume",
    "authorize.start",
    "authorize.start_by_post",
    "discovery.authorization_server",
    "discovery.openid_configuration",
    "keys.jwks",
    "logout.confirm",
    "logout.done",
    "logout.start",
    "logout.start_by_post",
}
# What the API says of itself; it tells of no account.
DESCRIPTION = {"api.openapi_document", "api.reference"}
# The steps by which a stranger becomes somebody; each looks at its flow.
STEPS = {
    "account.home",
    *("account.where_passwords_change", "account.where_passkeys_change"),
    *("sign_in.address", "sign_in.submit_address"),
    *("sign_in.password", "sign_in.submit_password"),
    *("sign_in.code", "sign_in.submit_code", "sign_in.send_code"),
    *("sign_in.passkey_options", "sign_in.submit_passkey", "sign_in.second_passkey_options"),
    *("registration.address", "registration.submit_address"),
    *("registration.code", "registration.submit_code", "registration.send_again"),
    *("registration.open_link", "registration.confirm_link"),
    *("registration.password", "registration.submit_password"),
    *("registration.passkey_options", "registration.submit_passkey"),
    *("not_me.ask", "not_me.lock"),
    *("recovery.address", "recovery.submit_address"),
    *("recovery.code", "recovery.submit_code", "recovery.send_again"),
    *("recovery.open_link", "recovery.confirm_link"),
    *("recovery.password", "recovery.submit_password"),
    *("access.new_password", "access.set_new_password", "access.send_temporary_password"),
    *("access.open_link", "access.use_link", "access.send_link", "access.link_sent"),
    *("invitations.open_link", "invitations.accept", "invitations.decline"),
    *("invitations.declined", "invitations.sign_in", "invitations.register"),
    *("lost_factors.start", "lost_factors.finish"),
    *("lost_factors.code", "lost_factors.submit_code", "lost_factors.send_code"),
    *("lost_factors.request_help", "lost_factors.submit_request"),
    *("lost_factors.open_stop_link", "lost_factors.stop"),
}
PUBLIC: dict[str, set[str]] = {
    "identity": EVERYWHERE | PROVIDER | STEPS | DESCRIPTION,
    "portal": EVERYWHERE | RELYING_PARTY,
    "crm": EVERYWHERE | RELYING_PARTY,
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


def closed(app: Flask) -> list[tuple[Rule, str]]:
    """Every route that is not public, with a method that it takes."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "requires", None) != "public"
        for method in sorted(rule.methods or ())
        if method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    ]


def path_of(app: Flask, rule: Rule) -> str:
    """An address of this rule, with something made up in every gap."""
    made_up = {
        "UUIDConverter": "00000000-0000-0000-0000-000000000000",
        "_InPath": Context("000000000000"),
    }
    values = {name: made_up.get(type(gap).__name__, 1) for name, gap in rule._converters.items()}
    adapter = app.url_map.bind("localhost")
    return str(adapter.build(rule.endpoint, values, method=None, append_unknown=False))


@pytest.mark.security("12.1")
def test_a_stranger_gets_nothing_from_a_route_that_is_not_public(program):
    """What a view declares is also what happens: to the sign-in, or a refusal."""
    _, app = program
    # Without a form token it would already end there, and prove nothing.
    app.config["WTF_CSRF_METHODS"] = set()
    base = f"http://{next(iter(app.config['KNOWN_HOSTS']))}"

    for rule, method in closed(app):
        answer = app.test_client().open(path_of(app, rule), method=method, base_url=base)

        assert answer.status_code in {302, 303, 400, 401, 403, 404}, f"{method} {rule}"


@pytest.mark.security("14.3")
def test_a_change_without_a_form_token_is_refused(program):
    _, app = program
    base = f"http://{next(iter(app.config['KNOWN_HOSTS']))}"

    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if "POST" not in (rule.methods or ()) or getattr(view, "csrf_exempt", False):
            continue
        answer = app.test_client().post(path_of(app, rule), base_url=base)

        assert answer.status_code == 400, str(rule)


@pytest.mark.security("14.3")
def test_a_change_sent_by_another_site_is_refused(program):
    _, app = program
    base = f"http://{next(iter(app.config['KNOWN_HOSTS']))}"

    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if "POST" not in (rule.methods or ()) or getattr(view, "csrf_exempt", False):
            continue
        answer = app.test_client().post(
            path_of(app, rule), base_url=base, headers={"Sec-Fetch-Site": "cross-site"}
        )

        assert answer.status_code == 403, str(rule)


@pytest.mark.security("14.5")
def test_a_method_that_a_route_does_not_know_is_refused(program):
    _, app = program
    base = f"http://{next(iter(app.config['KNOWN_HOSTS']))}"

    known: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        known.setdefault(rule.rule, set()).update(rule.methods or ())

    for rule in app.url_map.iter_rules():
        for method in ("TRACE", "PROPFIND", "DELETE"):
            if method in known[rule.rule]:
                continue
            answer = app.test_client().open(path_of(app, rule), method=method, base_url=base)

            assert answer.status_code == 405, f"{method} {rule}"


@pytest.mark.security("14.5")
def test_no_path_is_spelled_in_two_ways(program):
    """One meaning per path: no trailing-slash twins, which some check would forget."""
    _, app = program
    paths = [rule.rule for rule in app.url_map.iter_rules()]

    twins = {path for path in paths if path != "/" and f"{path.rstrip('/')}/" in paths}

    assert twins == set()


def test_no_view_and_no_hook_is_a_coroutine(program):
    """`kernel.web.app` calls them all without looking."""
    _, app = program
    hooks = [app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs]

    functions = [*app.view_functions.values()]
    functions += [hook for kind in hooks for listed in kind.values() for hook in listed]

    assert [each for each in functions if inspect.iscoroutinefunction(each)] == []
