"""The sample of docs/relying-applications does what its page says, started as it says."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import requests

from tests.installation import ROOT, Installation, free_ports
from tests.visitor import Page, Visitor

SAMPLE = ROOT / "docs" / "relying-applications" / "sample_client.py"


@pytest.fixture(scope="module")
def sample(running: Installation) -> Iterator[str]:
    """The address of the sample, registered and started."""
    port = free_ports(1)[0]
    address = f"http://localhost:{port}"
    registered = running.answer(
        *("client", "create", "--name", "Sample"),
        *("--redirect-uri", f"{address}/callback"),
        *("--post-logout-redirect-uri", f"{address}/"),
    )
    environment = {
        **os.environ,
        "ISSUER": running.identity,
        "PORT": str(port),
        "CLIENT_ID": registered["client_id"],
        "CLIENT_SECRET": registered["client_secret"],
    }
    with subprocess.Popen([sys.executable, str(SAMPLE)], env=environment) as process:
        try:
            wait_for(address)
            yield address
        finally:
            process.terminate()


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 15
    while True:
        try:
            requests.get(address, timeout=2)
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the sample does not start"
            time.sleep(0.1)
        else:
            return


def signed_in(running: Installation, sample: str) -> tuple[Visitor, Page]:
    person = running.answer("demo")["people"][0]
    visitor = Visitor()
    page = visitor.sign_in(
        visitor.open(f"{sample}/login"),
        email=person["email"],
        password=person["password"],
        totp_secret=person.get("totp_secret"),
        mailbox=running.mailbox,
    )
    if "/consent" in page.url:
        page = visitor.allow(page)
    return visitor, page


@pytest.mark.product("OP-1")
def test_the_sample_knows_who_signed_in(running: Installation, sample: str):
    email = running.answer("demo")["people"][0]["email"]

    _, page = signed_in(running, sample)

    assert page.url == f"{sample}/"
    assert f"Signed in as {email}" in page.text


@pytest.mark.product("OP-1")
def test_signing_out_of_the_sample_ends_the_session_at_the_provider(
    running: Installation, sample: str
):
    visitor, page = signed_in(running, sample)

    left = visitor.submit(page, page.forms[0])
    back = visitor.open(f"{sample}/login")

    assert left.url == f"{sample}/"
    assert "Nobody is signed in" in left.text
    assert back.form_with("email") is not None


def test_an_answer_of_another_provider_is_refused(sample: str):
    page = Visitor().open(f"{sample}/callback?code=x&state=y&iss=https://evil.example")

    assert page.status == 400
