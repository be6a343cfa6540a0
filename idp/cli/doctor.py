"""What `klucznik doctor` looks at in the identity program itself."""

from datetime import datetime, timedelta

from idp.cli.application import in_application
from idp.cli.prepare import refusals
from idp.clients import service as clients
from idp.credentials import imported
from idp.keys import service as keys
from idp.keys.service import KeySummary
from idp.places import why_unusable
from idp.settings import IdentitySettings
from kernel import clock
from kernel.command_line import Finding, Grade
from kernel.database import why_no_walls
from kernel.pages import PageRequest
from tenants.accounts import service as accounts
from tenants.applications import service as applications
from tenants.database import db

# NIST SP 800-63B-4 asks for this length where a password may be the only factor.
_LENGTH_OF_A_LONE_PASSWORD = 15
_LATE = timedelta(days=7)


@in_application
def findings() -> list[Finding]:
    """Keys, applications, the password policy, and what must not be in a production database."""
    now, settings = clock.now(), IdentitySettings()
    found = [*about_keys(keys.summaries(now=now), settings=settings, now=now)]
    with db.reading() as session:
        registered = len(clients.listed(session))
        imported_passwords = imported.count(session)
        found.append(about_walls(why_no_walls(session)))
        declared = applications.find(session, applications.ACCOUNTS) is not None
    with db.reading(everywhere=True) as session:
        flagged = accounts.listed(session, asked=PageRequest(limit=1), flagged=True).total
    found.append(about_accounts(declared=declared, flagged=flagged or 0))
    found.append(
        Finding("applications", Grade.GOOD, f"{registered} registered")
        if registered
        else Finding(
            "applications",
            Grade.WORTH_KNOWING,
            "none is registered",
            "klucznik client create, or klucznik serve identity --prepare for our own",
        )
    )
    found.append(about_passwords(settings))
    found.extend(about_imported(imported_passwords))
    found.extend(about_places(settings))
    return found


@in_application
def production_findings() -> list[Finding]:
    """What production would refuse to start with."""
    settings = IdentitySettings()
    if not settings.production:
        return []
    with db.reading() as session:
        reasons = refusals(session)
    return [
        Finding("production", Grade.WRONG, reason, "remove these people, or start afresh")
        for reason in reasons
    ]


def about_accounts(*, declared: bool, flagged: int) -> Finding:
    """Whether accounts can have roles at all, and whether some wait for an admin."""
    if not declared:
        return Finding(
            "accounts",
            Grade.WRONG,
            "nothing is declared that roles could be made of",
            "klucznik serve identity --prepare",
        )
    if flagged:
        return Finding(
            "accounts",
            Grade.WORTH_KNOWING,
            f"{flagged} without an admin who can act",
            "klucznik account list --flagged, then klucznik account hand-over",
        )
    return Finding("accounts", Grade.GOOD, "each has an admin who can act")


def about_keys(
    summaries: list[KeySummary], *, settings: IdentitySettings, now: datetime
) -> list[Finding]:
    """Whether each algorithm has a key that signs, and whether rotation keeps its schedule."""
    found = []
    for algorithm in keys.ALGORITHMS:
        signing = [
            one for one in summaries if one.algorithm == algorithm and one.state == "signing"
        ]
        subject = f"signing key {algorithm}"
        if not signing:
            found.append(
                Finding(subject, Grade.WRONG, "there is none", "klucznik serve identity --prepare")
            )
            continue
        age = now - signing[0].signs_from
        is_late = age > timedelta(days=settings.key_rotation_days) + _LATE
        found.append(
            Finding(
                subject,
                Grade.WORTH_KNOWING if is_late else Grade.GOOD,
                f"signs for {age.days} days",
                "a worker rotates keys: is one running?" if is_late else "",
            )
        )
    return found


def about_walls(problem: str | None) -> Finding:
    """Whether the database itself keeps accounts apart."""
    if problem is None:
        return Finding("walls between accounts", Grade.GOOD, "stand")
    way_out = "klucznik db upgrade with the owner's address, and a role that owns nothing"
    return Finding("walls between accounts", Grade.WRONG, problem, way_out)


def about_places(settings: IdentitySettings) -> list[Finding]:
    """Whether the file of places can be read, where there is one."""
    path = settings.places_database
    if path is None:
        return []
    problem = why_unusable(path)
    if problem is None:
        return [Finding("places", Grade.GOOD, f"{path.name} names places by address")]
    way_out = "put a file of MaxMind's format there: until then pages show addresses alone"
    return [Finding("places", Grade.WORTH_KNOWING, f"{path}: {problem}", way_out)]


def about_imported(count: int) -> list[Finding]:
    """Whether passwords from another system still wait for their first sign-in."""
    if not count:
        return []
    return [
        Finding(
            "imported passwords",
            Grade.WORTH_KNOWING,
            f"{count} have not been used yet, and wrong passwords take longer meanwhile",
            "klucznik passwords drop-imported, once nobody is waited for",
        )
    ]


def about_passwords(settings: IdentitySettings) -> Finding:
    """Whether the shortest allowed password is long enough on its own."""
    shortest = settings.password_min_length
    if shortest >= _LENGTH_OF_A_LONE_PASSWORD:
        return Finding("passwords", Grade.GOOD, f"at least {shortest} characters")
    return Finding(
        "passwords",
        Grade.WORTH_KNOWING,
        f"at least {shortest} characters: enough beside a second factor",
        f"where a password alone is enough, set KLUCZNIK_PASSWORD_MIN_LENGTH to "
        f"{_LENGTH_OF_A_LONE_PASSWORD}",
    )
