"""What a stranger could compare to learn who has an ID."""

import re
from datetime import UTC, datetime

from sqlalchemy import update

from idp.not_me import locks
from idp.not_me.locks import Reason
from tenants.database import db
from tenants.people.models import Person
from tests.idp.visitor import Visitor, a_person

Answer = tuple[int, str, dict[str, str], list[tuple[str, str]], str]

# What differs between any two answers, whoever asks.
MASKS = (
    (r'name="csrf_token" value="[^"]+"', "csrf"),
    (r"flow=[0-9a-f-]{36}", "flow"),
    (r"[0-9a-f]{16}", "request"),
    (r"\w+@example\.com", "address"),
    (r"flow%3D[0-9a-f-]{36}", "flow"),
    (r'<span class="avatar-round[^>]*>.</span>', "avatar"),
)


def masked(text: str) -> str:
    """A text without what is new in every answer."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


def answer_of(visitor: Visitor) -> Answer:
    """Everything that a stranger could compare."""
    headers = {
        name: masked(value)
        for name, value in visitor.response.headers.items()
        if name not in {"Date", "X-Request-ID", "Content-Length", "Set-Cookie"}
    }
    cookies = sorted(
        (cookie.partition("=")[0], re.sub(r"^[^;]*", "", cookie))
        for cookie in visitor.response.headers.getlist("Set-Cookie")
    )
    return visitor.status, masked(visitor.path), headers, cookies, masked(visitor.text)


def people_of_all_kinds() -> list[str]:
    """Addresses between which no answer may tell; the last is nobody's."""
    a_person("known@example.com")
    blocked = a_person("blockd@example.com")
    a_person("fresh@example.com", password_=None)
    locked = a_person("locked@example.com")
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == blocked).values(status="blocked"))
        locks.lock(session, person_id=locked, reason=Reason.NOT_ME, now=datetime.now(UTC))
    kinds = ("known", "blockd", "fresh", "locked", "nobody")
    return [f"{kind}@example.com" for kind in kinds]
