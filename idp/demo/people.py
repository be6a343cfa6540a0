"""Who the demo people are. Nothing is imported here, so that printing them costs nothing."""
# ruff: noqa: S106 - these secrets are printed for everybody to see

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as. The secrets are printed for everybody to see."""

    email: str
    password: str
    totp_secret: str | None
    locale: str
    given_name: str
    family_name: str
    may: str

    @property
    def second_factor(self) -> str:
        """How this person proves more than the password, in words."""
        return "code by mail" if self.totp_secret is None else f"TOTP {self.totp_secret}"


PEOPLE = (
    DemoPerson(
        email="hanna.wilk@klucznik.example",
        password="cztery zielone parasole",
        totp_secret=None,
        locale="pl",
        given_name="Hanna",
        family_name="Wilk",
        may="admin of the office «Biuro Rachunkowe Wilk», sells for «Wilk Deweloper»; reads Polish",
    ),
    DemoPerson(
        email="marek.sowa@klucznik.example",
        password="siedem cichych latarni",
        totp_secret="KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD",
        locale="pl",
        given_name="Marek",
        family_name="Sowa",
        may="admin of «Wilk Deweloper»; signs in with an authenticator app; reads Polish",
    ),
    DemoPerson(
        email="ellen.marsh@klucznik.example",
        password="nine patient lighthouses",
        totp_secret=None,
        locale="en",
        given_name="Ellen",
        family_name="Marsh",
        may="keeps the books of two of the office's companies, and has an account without the CRM; "
        "reads English",
    ),
    DemoPerson(
        email="zofia.lis@klucznik.example",
        password="dwa spokojne jeziora",
        totp_secret=None,
        locale="pl",
        given_name="Zofia",
        family_name="Lis",
        may="a client of «Wilk Deweloper»; reads Polish",
    ),
)


def lines() -> list[str]:
    """The demo people as `klucznik run` prints them."""
    width = max(len(person.email) for person in PEOPLE)
    longest = max(len(person.password) for person in PEOPLE)
    return [
        f"{person.email:<{width}}  {person.password:<{longest}}  {person.second_factor}"
        for person in PEOPLE
    ]
