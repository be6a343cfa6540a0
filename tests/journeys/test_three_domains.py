"""With TLS, on three registrable domains of their own: as strict as browsers are in the world."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.certificates import make_certificates
from tests.installation import Installation, installation
from tests.journeys.traveller import ARGUMENTS, Traveller, chromium

NAMES = ("id.jeden.example", "portal.dwa.example", "crm.trzy.example")
# Cookies in production's way: tied to their host, never sent in clear.
HOST_COOKIES = {"__Host-klucznik_session", "__Host-klucznik_device"}


@pytest.fixture(scope="module")
def far_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, str]]:
    """An installation whose programs are strangers to a browser, and the digest of its key."""
    home = tmp_path_factory.mktemp("far-apart")
    certificates = make_certificates(home / "certificates", *NAMES)
    settings = {
        "KLUCZNIK_TLS_CERTIFICATE": str(certificates.chain),
        "KLUCZNIK_TLS_KEY": str(certificates.key),
        "KLUCZNIK_OUTGOING_CA_FILE": str(certificates.authority),
        "KLUCZNIK_OUTGOING_RESOLVE": ",".join(f"{name}=127.0.0.1" for name in NAMES),
    }
    with installation(home, names=NAMES, scheme="https", settings=settings) as running:
        yield running, certificates.key_digest


@pytest.fixture
def traveller(far_apart: tuple[Installation, str], browser: Browser) -> Iterator[Traveller]:
    running, key_digest = far_apart
    trusting = browser.browser_type.launch(
        executable_path=chromium(),
        args=[
            *ARGUMENTS,
            "--host-resolver-rules=MAP *.example 127.0.0.1",
            f"--ignore-certificate-errors-spki-list={key_digest}",
        ],
    )
    made = Traveller(running, trusting.new_context(locale="en-GB"), name="far-apart")
    yield made
    trusting.close()
    assert made.problems == []


@pytest.mark.product("ID-5", "OP-1")
@pytest.mark.security("5.2", "9.2")
def test_one_sign_in_and_one_sign_out_for_applications_on_other_domains(traveller: Traveller):
    running = traveller.running
    person = running.answer("demo")["people"][1]

    traveller.go(f"{running.portal}/login")
    traveller.sign_in(person["email"], person["password"], totp_secret=person["totp_secret"])
    traveller.expect_signed_in_at(running.portal)
    traveller.go(running.crm)
    traveller.expect_signed_in_at(running.crm)
    cookies = traveller.context.cookies()
    traveller.sign_out()

    for application in (running.portal, running.crm):
        traveller.expect_signed_out_of(application)
    assert {cookie.get("name") for cookie in cookies} >= HOST_COOKIES
    assert all(cookie.get("secure") for cookie in cookies)
    assert all(str(cookie.get("name")).startswith("__Host-") for cookie in cookies)
