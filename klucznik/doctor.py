"""`klucznik doctor`: look at everything that has to be right, and say what to do where it isn't."""

import smtplib
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import click
from pydantic import ValidationError
from sqlalchemy import create_engine, make_url, pool, text
from sqlalchemy.exc import SQLAlchemyError

from kernel import clock
from kernel.command_line import Finding, Grade, json_option, say_json
from kernel.errors import KlucznikError, Misconfigured
from kernel.mail import mail_server
from kernel.observability.logs import configure_logging
from kernel.settings import Settings, home_folder
from klucznik import production
from klucznik.db import database_url, status_of
from klucznik.programs import PROGRAMS, Program, load
from klucznik.serve import settings_of

_SECONDS = 5
_LARGEST_SKEW_SECONDS = 2.0
_SIGNS = {Grade.GOOD: "ok", Grade.WORTH_KNOWING: "?", Grade.WRONG: "!"}


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Look for what is wrong, and say what to do. Exit status 1 when something is."""
    configure_logging("warning", program="klucznik")
    found = list(findings())
    if as_json:
        say_json([asdict(one) for one in found])
    else:
        for one in found:
            click.echo(f"{_SIGNS[one.grade]:>2}  {one.subject}: {one.says}")
            if one.remedy:
                click.echo(f"      → {one.remedy}")
    if any(one.grade is Grade.WRONG for one in found):
        context.exit(1)


def findings() -> Iterator[Finding]:
    """Every check, the fundamental ones first; one that can't be made is a finding itself."""
    yield about_home(home_folder())
    for program in PROGRAMS.values():
        yield from _of_program(program)
    yield from _guarded("mail server", lambda: [about_mail(settings_of(PROGRAMS["identity"]))])
    yield from _guarded("identity", load("idp.cli.doctor:findings"))
    yield from _guarded("identity", load("idp.cli.doctor:production_findings"))


def about_home(home: Path) -> Finding:
    """Whether the home folder's secrets are for its owner alone."""
    secrets = home / "settings.env"
    if not secrets.exists():
        return Finding(
            "home", Grade.WORTH_KNOWING, f"{secrets} does not exist: settings come from outside"
        )
    if stat.S_IMODE(secrets.stat().st_mode) & 0o077:
        return Finding("home", Grade.WRONG, f"others may read {secrets}", f"chmod 600 {secrets}")
    return Finding("home", Grade.GOOD, str(home))


def _of_program(program: Program) -> Iterator[Finding]:
    subject = f"{program.name}: settings"
    try:
        settings = settings_of(program)
        settings.signing_secrets()
        settings.vault()
        settings.ledger_secret()
    except ValidationError as invalid:
        names = ", ".join("_".join(map(str, error["loc"])) for error in invalid.errors())
        yield Finding(subject, Grade.WRONG, f"not right: {names}", "klucznik serve says why")
        return
    except KlucznikError as refused:
        yield Finding(subject, Grade.WRONG, refused.detail, "see docs/operators/settings.md")
        return
    reasons = production.refusals(program, settings)
    yield Finding(
        subject,
        Grade.WRONG if reasons else Grade.GOOD,
        "; ".join(reasons) or f"mode {settings.mode}",
        "production refuses to start with this" if reasons else "",
    )
    yield from _guarded(f"{program.name}: database", lambda: [about_database(program)])
    yield from _guarded(f"{program.name}: clock", lambda: about_clock(program))
    yield about_address(program, settings)


def about_database(program: Program) -> Finding:
    """Whether the database is there and has the tables that the code expects."""
    subject = f"{program.name}: database"
    status = status_of(program)
    if status.is_current:
        return Finding(subject, Grade.GOOD, f"{status.database} is up to date")
    if not status.reachable:
        return Finding(
            subject, Grade.WRONG, f"{status.database} is not reachable", "klucznik db init"
        )
    command = "init" if status.revision is None else "upgrade"
    return Finding(
        subject, Grade.WRONG, f"{status.database}: {status.sentence}", f"klucznik db {command}"
    )


def about_clock(program: Program) -> list[Finding]:
    """Whether this machine and the database's agree on the time."""
    url = database_url(program)
    if make_url(url).get_backend_name() == "sqlite":
        return []
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    skew = abs((clock.now() - theirs.astimezone(UTC)).total_seconds())
    is_wrong = skew > _LARGEST_SKEW_SECONDS
    return [
        Finding(
            f"{program.name}: clock",
            Grade.WRONG if is_wrong else Grade.GOOD,
            f"{skew:.1f} s away from the database's",
            "let both follow a time server: codes and tokens live for seconds" if is_wrong else "",
        )
    ]


def about_mail(settings: Settings) -> Finding:
    """Whether the mail server takes our connection, and our name and password if it has them."""
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        # The same way as a mail goes: with its certificates, and never a password in clear.
        with mail_server(settings) as server:
            server.noop()
    except Misconfigured as refused:
        return Finding("mail server", Grade.WRONG, refused.detail, "see docs/operators/mail.md")
    except (OSError, smtplib.SMTPException) as failure:
        return Finding(
            "mail server",
            Grade.WRONG,
            f"{where} refuses us ({type(failure).__name__})",
            "codes and links travel by mail: set KLUCZNIK_SMTP_…",
        )
    return Finding("mail server", Grade.GOOD, f"{where} answers")


def about_address(program: Program, settings: Settings) -> Finding:
    """Whether the program answers where everybody else looks for it."""
    url: str = getattr(settings, program.url_setting)
    subject = f"{program.name}: address"
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"{url}/healthz", timeout=_SECONDS) as answer:
            good = answer.status == 200
    except (URLError, OSError, HTTPException) as failure:
        reason = getattr(failure, "reason", failure)
        return Finding(
            subject,
            Grade.WORTH_KNOWING,
            f"{url} does not answer from here ({type(reason).__name__})",
            f"start it (klucznik serve {program.name}), or look at the proxy, name and certificate",
        )
    return Finding(
        subject,
        Grade.GOOD if good else Grade.WORTH_KNOWING,
        f"{url} answers" if good else f"{url} answers with {answer.status}",
    )


def _guarded(subject: str, check: Callable[[], list[Finding]]) -> Iterator[Finding]:
    """The findings of a check, or that it could not be made."""
    try:
        yield from check()
    except (KlucznikError, SQLAlchemyError, ValidationError) as failure:
        detail = failure.detail if isinstance(failure, KlucznikError) else type(failure).__name__
        yield Finding(
            subject, Grade.WRONG, f"could not be looked at: {detail}", "settle what stands above"
        )
