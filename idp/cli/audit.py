"""`klucznik audit`: proof that the audit trail is whole."""

import click

from idp.cli.application import in_application
from kernel.command_line import json_option, say_facts, say_json
from tenants.audit import ledger
from tenants.database import db


@click.group()
def audit() -> None:
    """Prove that the audit trail is whole."""


@audit.command()
@click.option(
    "--since",
    "known_head",
    help="A head that this command printed before: the trail must still contain it.",
)
@json_option
@click.pass_context
@in_application
def verify(context: click.Context, *, known_head: str | None, as_json: bool) -> None:
    """Check every row and every signature. Exit status 1 when something was done to them."""
    report = ledger.verify(db, known_head=known_head)
    head = ledger.newest_head(db)
    if as_json:
        say_json(
            {
                "ok": report.ok,
                "entries": report.entries,
                "chains": report.chains,
                "unsealed": report.unsealed,
                "head": head,
                "findings": [str(finding) for finding in report.findings],
                "cut": report.cut,
            }
        )
    else:
        say_facts(
            {
                "Rows": report.entries,
                "Chains": report.chains,
                "Not sealed yet": report.unsealed,
                "Head": head or "none",
            }
        )
        for finding in report.findings:
            click.echo(f"! {finding}")
        click.echo("The audit trail is whole." if report.ok else "The audit trail was changed.")
    if not report.ok:
        context.exit(1)
