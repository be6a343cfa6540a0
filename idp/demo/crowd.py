"""A crowd that can sign in: the first of its people have a password, the same for all of them."""
# ruff: noqa: S105 - the password is printed for everybody to see

from datetime import datetime

from idp.credentials import password
from idp.credentials.hashing import hashing
from tenants.crowd import service as crowd
from tenants.crowd.service import Size, Tell
from tenants.database import db

PASSWORD = "trzydzieści trzy wiatraki"
_AT_ONCE = 500


def grow(size: Size, *, with_password: int, now: datetime, tell: Tell) -> None:
    """Make the crowd, and let its first people in."""
    crowd.grow(size, now=now, tell=tell)
    hash_ = hashing().hash(password.normalised(PASSWORD))
    for first in range(0, with_password, _AT_ONCE):
        ids = crowd.ids_of(range(first, min(first + _AT_ONCE, with_password)))
        with db.transaction() as session:
            for person_id in ids.values():
                password.store(session, person_id=person_id, hash_=hash_, now=now)
        tell(len(ids))
