"""Our side: a fresh installation of the identity program, served as in production."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import ECKey

from bench.driver import Browser, Done, Load, Steps
from bench.processes import Server, cores, free_port, server
from bench.scenarios import REDIRECT_URI, Machine, Side, Visitor

PATHS = {
    "authorize": "/authorize",
    "discovery": "/.well-known/openid-configuration",
    "introspection": "/introspect",
    "jwks": "/jwks",
    "token": "/token",
    "userinfo": "/userinfo",
}
_KLUCZNIK = [sys.executable, "-m", "klucznik"]
_PACKAGES = ("klucznik", "kernel", "tenants", "consent", "idp")


@dataclass(frozen=True)
class Ours:
    """The running program and how to load it."""

    server: Server
    side: Side


@dataclass(frozen=True)
class Prepared:
    """A fresh installation with clients and people, and the environment that it runs in."""

    folder: Path
    env: dict[str, str]
    side: Side

    def use(self) -> None:
        """Let this process be of the installation."""
        os.environ.update(self.env)


def prepare(folder: Path, *, database_url: str = "", smtp_port: int = 0) -> Prepared:
    """Make an installation of the identity program in the folder."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    env = {
        "KLUCZNIK_HOME": str(folder),
        "KLUCZNIK_ISSUER": issuer,
        "KLUCZNIK_IDENTITY_PORT": str(port),
        "KLUCZNIK_IDENTITY_DATABASE_URL": database_url,
        "KLUCZNIK_SMTP_HOST": "127.0.0.1",
        "KLUCZNIK_SMTP_PORT": str(smtp_port or free_port()),
        "KLUCZNIK_METRICS_PORT": str(free_port()),
    }
    # As in the image: else the first start would compile what was edited since the last one.
    _run([sys.executable, "-m", "compileall", "-q", *_PACKAGES], {})
    _run([sys.executable, "-c", "from klucznik.home import prepare_home; prepare_home()"], env)
    _run([*_KLUCZNIK, "db", "upgrade", "--program", "identity"], env)
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"})
    key.ensure_kid()
    made = json.loads(
        _run(
            [
                *(sys.executable, "-m", "bench.prepare", REDIRECT_URI),
                json.dumps(key.as_dict(private=False)),
            ],
            env,
        )
    )
    return Prepared(folder, env, _side(issuer, made, key))


@contextmanager
def running(folder: Path, *, database_url: str = "", also: tuple[int, ...] = ()) -> Iterator[Ours]:
    """Prepare an installation in the folder, serve it on its core, sign everybody in once."""
    smtp_port, mails_port = free_port(), free_port()
    made = prepare(folder, database_url=database_url, smtp_port=smtp_port)
    env = {**made.env, "KLUCZNIK_MAIL_CATCHER_PORT": str(mails_port)}
    with ExitStack() as stack:
        stack.enter_context(
            server(
                [*_KLUCZNIK, "mail-catcher"],
                ready=f"http://127.0.0.1:{mails_port}/messages.json",
                env=env,
                core=cores()[1],
                log=folder / "mails.log",
            )
        )
        serving = stack.enter_context(
            server(
                [*_KLUCZNIK, "serve", "identity"],
                ready=made.side.url("discovery"),
                env=env,
                log=folder / "identity.log",
                also=also,
            )
        )
        yield Ours(serving, _known(made.side))


def _side(issuer: str, made: dict[str, list[str]], key: ECKey) -> Side:
    def machine(name: str) -> Machine:
        client_id, secret = made[name]
        return Machine(client_id, secret, str(made["resource"]))

    return Side(
        issuer=issuer,
        paths=PATHS,
        web=machine("web"),
        es256=machine("es256"),
        rs256=machine("rs256"),
        signed_client=made["signed"][0],
        signing_key=key,
        visitors=[Visitor(cookies={}, **one) for one in made["people"]],  # type: ignore[arg-type]
    )


def _known(side: Side) -> Side:
    """The same people, each in a browser that remembers the second factor."""
    known: dict[str, Visitor] = {}

    def first_sign_in(connection: int, done: Done) -> Steps:
        visitor = side.visitors[connection]
        browser = Browser(side.issuer)
        yield from side.pages(browser, visitor)
        device = {name: value for name, value in browser.cookies.items() if "device" in name}
        known[visitor.email] = Visitor(visitor.email, visitor.password, device)
        done()
        # The connection has nothing more to do.
        while True:
            yield browser.get(side.url("jwks"))

    with Load(side.issuer, first_sign_in, len(side.visitors)) as load:
        while len(known) < len(side.visitors):
            load.go_on(seconds=30, at_most=1)
    return Side(**{**vars(side), "visitors": list(known.values())})


def _run(command: list[str], env: dict[str, str]) -> str:
    answer = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"{command} failed: {answer.stderr[-3000:]}")
    return answer.stdout
