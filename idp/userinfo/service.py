"""What an access token lets its bearer know (OpenID Connect Core §5.3)."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.protocol import claims, jwt, scopes
from idp.protocol.claims import PersonalFacts
from idp.protocol.errors import InsufficientScope, InvalidToken
from idp.token import verification
from tenants.people import service as people
from tenants.people.service import PersonSummary


def tell(session: Session, token: str, *, issuer: str, now: datetime) -> dict[str, Any]:
    """The claims that this token's scopes bring; raises InvalidToken or InsufficientScope."""
    try:
        believed = verification.believe(session, token, issuer=issuer, audience=issuer, now=now)
    except (jwt.NotBelieved, ValueError) as unproven:
        raise InvalidToken(str(unproven)) from unproven
    if believed.grant is None or scopes.OPENID not in believed.scopes:
        raise InsufficientScope("the token is for no sign-in")
    if clients.find(session, believed.client_id) is None:
        raise InvalidToken("the client was switched off")
    person = people.find(session, believed.grant.person_id)
    if person is None:
        raise InvalidToken("the person is gone")
    return claims.for_scopes(_facts(person), believed.scopes)


def _facts(person: PersonSummary) -> PersonalFacts:
    return PersonalFacts(
        subject=str(person.id),
        email=person.email,
        given_name=person.given_name,
        family_name=person.family_name,
        phone=person.phone,
        locale=person.locale,
        zoneinfo=person.zoneinfo,
        picture=person.picture,
        updated_at=person.updated_at,
    )
