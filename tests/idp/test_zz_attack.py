import json
from datetime import timedelta
import pytest
from sqlalchemy import select, func
from idp.account import passkeys as own
from idp.credentials import ceremonies
from idp.credentials.models import PasskeyChallenge
from idp.sign_in import passkey
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.sign_in.test_password import a_browser, a_flow
from tests.idp.visitor import a_person
from tenants.database import db
pytestmark = pytest.mark.usefixtures("identity_app")

@pytest.mark.parametrize("transports", [[{}], [[]], {"a": 1}, "usb", 5, [None], [1e999]])
def test_transports(transports, identity_app):
    party = ceremonies.RelyingParty("localhost", __import__("tests.programs").programs.ISSUER)
    o = ceremonies.ask_to_make(party, challenge=b"x"*32, user_handle=b"u"*32, email="a@b.pl")
    text = SecurityKey().make(o, transports=transports)
    try:
        a = ceremonies.read(text)
        print(ceremonies.check_made(a, party, challenge=b"x"*32, must_stand_alone=True))
    except ceremonies.PasskeyRefused as r:
        print("refused", r.detail)
