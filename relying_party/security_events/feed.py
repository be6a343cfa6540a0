"""Whether we hear what the identity program has to say; if not, its word of a while ago is not enough."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel.database import Database
from relying_party.security_events.models import EventFeedMixin

# What the database says is believed for this long: every request asks.
_LOOK_EVERY = timedelta(seconds=1)


class Feed:
    """The feed of the one issuer that an application has."""

    def __init__(
        self,
        db: Database,
        model: type[EventFeedMixin],
        *,
        issuer: str,
        silence: timedelta,
    ) -> None:
        self._db = db
        self._model = model
        self._issuer = issuer
        self._silence = silence
        self._at_work_since: datetime | None = None
        self._looked_at: datetime | None = None
        self._whole_at: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Whether nothing is missing, as far as anybody can know.

        Not before the first heartbeat after our start: what was sent while we were away may come yet.
        """
        self._at_work_since = since = self._at_work_since or now
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < _LOOK_EVERY:
            self._look(now)
        whole_at = self._whole_at
        return whole_at is not None and whole_at >= since and now - whole_at < self._silence

    def hear(self, session: Session, *, is_whole: bool, now: datetime) -> None:
        """A heartbeat has come: nothing is missing, or something is."""
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        values = {"heard_at": now, "whole_at": now if is_whole else None}
        session.execute(
            dialect.insert(self._model)
            .values(issuer=self._issuer, **values)
            .on_conflict_do_update(index_elements=["issuer"], set_=values)
        )
        self._at_work_since = self._at_work_since or now
        self._looked_at = None

    def _look(self, now: datetime) -> None:
        model = self._model
        with self._db.reading() as session:
            self._whole_at = session.scalars(
                select(model.whole_at).where(model.issuer == self._issuer)
            ).one_or_none()
        self._looked_at = now
