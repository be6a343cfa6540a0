"""Documents that cannot rot: what the code can do is written down, and links lead somewhere."""

import re

import pytest

from idp.clients.service import AUTH_METHODS, NONE
from tests.architecture.packages import ROOT
from tools import reference

# What stands in idp/credentials: each factor, and what it is made with.
FACTORS = {
    *("__init__", "models"),
    *("password", "new_password", "hashing", "blocklist", "breached"),
    *("foreign_hashes", "sha_crypt", "imported"),
    *("email_code", "mailed_link", "totp", "recovery_codes"),
    *("passkeys", "ceremonies"),
    *("lost_factors", "temporary_password", "own_access"),
}
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
)


@pytest.mark.product("OPS-3")
@pytest.mark.parametrize(
    "page",
    [
        *("docs/operators/settings.md", "docs/operators/metrics.md"),
        *("docs/operators/audit-events.md", "docs/operators/command-line.md"),
        "ARCHITECTURE.md",
    ],
)
def test_a_page_made_from_the_code_is_up_to_date(page):
    """Each setting, metric, audit event, command and package; `make format` writes them."""
    wanted = reference.pages()[ROOT / page]()

    assert (ROOT / page).read_text() == wanted


def test_every_setting_says_what_it_is():
    silent = [
        f"{settings.__name__}.{name}"
        for settings in reference.settings_classes()
        for name, field in settings.model_fields.items()
        if not field.description
    ]

    assert silent == []


def test_every_family_of_audit_events_says_what_it_is():
    families = list(reference.audit_events())

    assert families
    assert [events for title, events in families if not title] == []


def test_every_audit_event_has_one_meaning():
    events = [event for _, family in reference.audit_events() for event in family]

    assert len(events) == len(set(events))


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)).replace("/", "-")
)
def test_every_link_leads_somewhere(document):
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    own = [target.partition("#")[0] for target in targets if "://" not in target]

    assert [target for target in own if target and not (document.parent / target).exists()] == []


def test_every_decision_is_in_the_list():
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()

    assert [path.name for path in folder.glob("0*.md") if path.name not in listed] == []


@pytest.mark.security("2.5")
def test_every_way_to_authenticate_is_listed():
    text = (ROOT / "docs" / "ways-to-authenticate.md").read_text().casefold()
    people = {"password", "code by e-mail", "authenticator app", "recovery code", "registration"}
    people |= {"temporary password", "welcome link", "lost factors"}
    programs = {"none" if way == NONE else f"`{way}`" for way in AUTH_METHODS}

    assert {way for way in people | programs if way not in text} == set()
    # A new module of factors is a new line of that document, and of the set above.
    assert {path.stem for path in (ROOT / "idp" / "credentials").glob("*.py")} == FACTORS


@pytest.mark.product("OPS-1")
def test_every_word_of_make_explains_itself():
    words = re.findall(r"^([a-z]+):(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert {word for word, _ in words} >= {"setup", "run", "check", "test", "soak", "bench"}
    assert [word for word, rest in words if "## " not in rest] == []


@pytest.mark.security("19.4")
def test_who_finds_a_weakness_reads_how_to_tell_it_in_private_and_what_follows():
    text = (ROOT / "SECURITY.md").read_text()

    assert "**Report a vulnerability**" in text
    assert "Do not open an issue" in text
    assert "within" in text
    assert "critical weakness" in text
