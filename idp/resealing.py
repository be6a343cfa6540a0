"""After a change of encryption keys: everything of the identity program is sealed with the new one."""

from collections.abc import Callable
from datetime import datetime

from idp.credentials import totp
from idp.events import ProviderEvent
from idp.keys import service as keys
from idp.settings import current_settings
from kernel.ledger import INSTALLATION
from kernel.resealing import Resealed, reseal
from tenants.api.views import idempotent_requests
from tenants.audit import ledger
from tenants.database import db
from tenants.outbox import outbox
from tenants.webhooks import service as webhooks


def everything_sealed_anew(
    *, by: str, now: datetime, tell: Callable[[int], None]
) -> list[Resealed]:
    """Seal what older keys have sealed with the newest; it may be broken off and started again.

    Answers of the token endpoint that wait for a retry are not among it: the client's own token
    is their key.
    """
    vault = current_settings().vault()
    done = [
        reseal(db, vault, sealed, tell=tell)
        for sealed in (
            *(keys.sealed(), totp.sealed(), outbox.sealed(), idempotent_requests.sealed()),
            *webhooks.sealed(),
        )
    ]
    with db.transaction() as session:
        ledger.append(
            session,
            chain=INSTALLATION,
            event=ProviderEvent.SECRETS_RESEALED,
            actor=by,
            subject=None,
            result="failure" if any(one.lost for one in done) else "success",
            at=now,
            details={one.what: one.renewed for one in done},
        )
    return done
