"""From the mail of an invitation to work in the account, with an ID and without one before."""

from collections.abc import Callable

import pytest

from tests.installation import Installation
from tests.journeys.traveller import Traveller

PASSWORD = "trzy spokojne kominy"
Travellers = Callable[..., Traveller]


@pytest.mark.product("TEN-6", "TEN-7")
@pytest.mark.security("3.9")
@pytest.mark.parametrize("scripts", [True, False])
def test_who_is_invited_and_has_no_id_makes_one_and_works_in_the_account(
    running: Installation, travellers: Travellers, scripts: bool
):
    email = f"zofia.zaproszona.{scripts}@klucznik.example".lower()
    account = running.account_of("Wilk Deweloper")
    running.invite(account, email)
    link = running.mailbox.link(email, "/invitation")
    traveller = travellers(language="pl", scripts=scripts)

    traveller.go(link)
    traveller.expect_at(f"{running.identity}/invitation")
    traveller.look()
    traveller.press('form[action="/invitation/register"] button')
    traveller.fill(new_password=PASSWORD)
    traveller.expect_at(f"{running.identity}/invitation")
    traveller.look()
    traveller.press('form[action="/invitation"] button')

    traveller.expect_signed_in_at(f"{running.portal}/a/{account}")
    assert link.partition("token=")[2] not in running.logs()
    traveller.go(link)
    traveller.look()


@pytest.mark.product("TEN-6", "TEN-7")
def test_who_has_an_id_looks_at_what_waits_and_declines_by_mail(
    running: Installation, travellers: Travellers
):
    email = "dorota.odmowna@klucznik.example"
    account = running.account_of("Wilk Deweloper")
    traveller = travellers()
    traveller.register(email, PASSWORD)
    running.invite(account, email)

    traveller.go(f"{running.identity}/account/invitations")
    traveller.look()
    traveller.go(running.mailbox.link(email, "/invitation"))
    traveller.look()
    traveller.press('form[action="/invitation/decline"] button')

    traveller.expect_at(f"{running.identity}/invitation/declined")
    traveller.look()
