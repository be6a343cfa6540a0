"""The programs as tests start them: real applications on a fresh database, with made-up secrets.

A program is named by its import string, so that a test of one does not import the others.
"""

import base64
import json
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from typing import Any, ClassVar

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from joserfc.jwk import ECKey
from sqlalchemy import Engine, create_engine, event, pool

from kernel.database import migrations
from tests import quick

ISSUER = "http://localhost:9000"
PORTAL = "http://localhost:9001"
CRM = "http://localhost:9002"

SECRETS: dict[str, Any] = {
    "secret_keys": "a secret that only tests may use, long enough",
    "encryption_keys": base64.urlsafe_b64encode(b"k" * 32).decode(),
    "ledger_key": base64.urlsafe_b64encode(b"l" * 32).decode(),
    # The most that a program may say, so that no secret hides below the level of production.
    "log_level": "debug",
}

MakeDatabase = Callable[[str, Callable[[str], None]], str]


def kernel(make_database: MakeDatabase) -> Iterator[Flask]:
    """An application with nothing but the kernel's tables."""
    settings = import_module("kernel.settings").Settings(**SECRETS, metrics_port=0)
    tables = import_module("tests.kernel.tables")
    url = make_database("kernel", partial(_create_all, tables.Base.metadata))
    app = Flask("kernel")
    app.config["TESTING"] = True
    app.extensions["klucznik.settings"] = settings
    tables.db.attach(app, url, pool_size=settings.database_pool)
    yield from _running(app, tables.db)


def identity(make_database: MakeDatabase, **overrides: Any) -> Iterator[Flask]:
    """The identity program; `overrides` are settings."""
    module = import_module("idp.app")
    settings = import_module("idp.settings").IdentitySettings(
        **{
            **SECRETS,
            "issuer": ISSUER,
            "portal_url": PORTAL,
            "crm_url": CRM,
            "metrics_port": 0,
            "worker": False,
            "identity_database_url": make_database("identity", _migrated("identity")),
            **overrides,
        }
    )
    quick.share_keys(import_module("idp.keys.service"))
    app = module.create_app(settings)
    app.jinja_env.bytecode_cache = _CompiledOnce(settings)
    yield from _running(app, import_module("tenants.database").db)


def portal(make_database: MakeDatabase, **overrides: Any) -> Iterator[Flask]:
    """The portal; `overrides` are settings."""
    yield from _relying_party("portal", "PortalSettings", make_database, overrides)


def crm(make_database: MakeDatabase, **overrides: Any) -> Iterator[Flask]:
    """The CRM; `overrides` are settings."""
    yield from _relying_party("crm", "CrmSettings", make_database, overrides)


def _relying_party(
    name: str, settings_class: str, make_database: MakeDatabase, overrides: dict[str, Any]
) -> Iterator[Flask]:
    module = import_module(f"{name}.app")
    settings = getattr(import_module(f"{name}.settings"), settings_class)(
        **{
            **SECRETS,
            "issuer": ISSUER,
            "portal_url": PORTAL,
            "crm_url": CRM,
            "metrics_port": 0,
            "worker": False,
            f"{name}_database_url": make_database(name, _migrated(name)),
            f"{name}_client_key": client_key(name),
            **overrides,
        }
    )
    app = module.create_app(settings)
    app.jinja_env.bytecode_cache = _CompiledOnce(settings)
    db = import_module(f"{name}.database").db
    with app.app_context():
        hear_heartbeat(app, db)
    yield from _running(app, db)


def hear_heartbeat(app: Flask, db: Any, *, is_whole: bool = True) -> None:
    """Let the application think that the identity program tells it everything."""
    party = import_module("relying_party.install").relying_party_of(app)
    with db.transaction() as session:
        party.feed.hear(session, is_whole=is_whole, now=import_module("kernel.clock").now())


@cache
def client_key(name: str) -> str:
    """The private key (a JWK) with which a program of the tests proves itself, the same all along."""
    return json.dumps(ECKey.generate_key("P-256", {"kid": name}).as_dict(private=True))


def _migrated(program: str) -> Callable[[str], None]:
    return partial(migrations.upgrade, program)


def _create_all(metadata: Any, url: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool)
    metadata.create_all(engine)
    engine.dispose()


def _running(app: Flask, db: Any) -> Iterator[Flask]:
    app.config["TESTING"] = True
    with app.app_context():
        forget_power_cuts(db.engine)
        yield app
        db.engine.dispose()


def forget_power_cuts(engine: Engine) -> None:
    """Commits are real, but none waits for the disk: `tools.postgresql` is as careless."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _not_durable)
        engine.dispose()


def _not_durable(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


class _CompiledOnce(BytecodeCache):
    """What one test compiled of a program's templates serves the next, under the same settings.

    A program compiles into its pages what is the same for all of them (`kernel.web.templates`).
    """

    _compiled: ClassVar[dict[tuple[str, str], Any]] = {}

    def __init__(self, settings: Any) -> None:
        # Secrets are stars in it, and an address of a database is one.
        self._settings = repr(settings)

    def get_bucket(self, environment: Any, name: str, filename: str | None, source: str) -> Bucket:
        ways = (environment.language, sorted(environment.known), callable(environment.autoescape))
        key = repr((self._settings, *ways, name, filename))
        bucket = Bucket(environment, key, self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.code
