"""Who signed in lately is seen by the accounts that added them before: that they came.

Somebody who had an ID when an account added them, and somebody who got one by that, look the same to it:
of each it learns who they are once they have signed in since. A job, every half minute.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from idp.sessions.models import BrowserSession
from idp.sessions.service import absolute_limit
from tenants.database import db
from tenants.members import arrival

# Of longer ago than the last rounds, should the worker have stood still for a while.
_LATELY = timedelta(minutes=10)


def note(now: datetime) -> int:
    """Note in the accounts of those who signed in lately that they came; says in how many places."""
    since = now - _LATELY
    with db.reading() as session:
        rows = session.execute(
            select(BrowserSession.person_id, func.max(BrowserSession.auth_time).label("at"))
            .where(
                # The same as the line below, as an index has it.
                BrowserSession.expires_at > since + absolute_limit(),
                BrowserSession.auth_time > since,
            )
            .group_by(BrowserSession.person_id)
        ).all()
    return arrival.see({row.person_id: row.at for row in rows}, now=now)
