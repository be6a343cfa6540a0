"""Fill a fresh identity database for the benchmarks: clients and people. Run as a program.

Prints what the load needs to know, as JSON. The people have an authenticator app, so that the first
sign-in of each (which is not measured) can make its browser a known device.
"""

import json
import sys
from typing import Any

import pyotp

from idp.cli.application import in_application
from idp.clients import service as clients
from idp.credentials import password
from idp.credentials.hashing import hashing
from idp.demo.people import DemoPerson
from idp.demo.service import create
from idp.keys.service import ensure_keys
from kernel import clock
from tenants.database import db

PEOPLE = 16
PASSWORD = "sixteen quiet harbours"
RESOURCE = "https://bench.klucznik.example/api"


@in_application
def prepare(redirect_uri: str, public_jwk: dict[str, Any]) -> dict[str, Any]:
    """Register the clients and make the people."""
    now = clock.now()
    ensure_keys(now=now)
    machine: dict[str, Any] = {
        "grant_types": (clients.CLIENT_CREDENTIALS,),
        "audiences": (RESOURCE,),
    }
    with db.transaction() as session:
        web = clients.register(
            session, name="Web", first_party=True, redirect_uris=(redirect_uri,), now=now
        )
        es256 = clients.register(session, name="ES256", now=now, **machine)
        rs256 = clients.register(
            session, name="RS256", access_token_signed_response_alg="RS256", now=now, **machine
        )
        signed = clients.register(
            session,
            name="Signed",
            token_endpoint_auth_method=clients.PRIVATE_KEY_JWT,
            jwks={"keys": [public_jwk]},
            now=now,
            **machine,
        )
    people = [_person(number) for number in range(PEOPLE)]
    hash_ = hashing().hash(password.normalised(PASSWORD))
    with db.transaction() as session:
        for one in people:
            create(session, one, hash_=hash_, now=now)
    return {
        "web": web,
        "es256": es256,
        "rs256": rs256,
        "signed": signed,
        "resource": RESOURCE,
        "people": [
            {"email": one.email, "password": one.password, "totp_secret": one.totp_secret}
            for one in people
        ],
    }


def _person(number: int) -> DemoPerson:
    return DemoPerson(
        email=f"bench{number}@klucznik.example",
        password=PASSWORD,
        totp_secret=pyotp.random_base32(32),
        locale="en",
        given_name="Bench",
        family_name=str(number),
        may="be measured",
    )


if __name__ == "__main__":
    print(json.dumps(prepare(sys.argv[1], json.loads(sys.argv[2]))))
