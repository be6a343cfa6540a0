"""`klucznik`: every command by name, none of them imported before it is asked for."""

import os
import sys
from importlib import import_module

import click
from pydantic import ValidationError

from kernel.errors import KlucznikError
from kernel.settings import PREFIX


class LazyGroup(click.Group):
    """A group whose commands are import strings with one line of help each."""

    def __init__(self, *, lazy: dict[str, tuple[str, str]], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        module, _, name = self._lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading what stands behind them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in self._lazy.items()])


COMMANDS = {
    "run": ("klucznik.run:run", "Start everything on this machine, with demo people."),
    "serve": ("klucznik.serve:serve", "Serve one program: identity, portal or crm."),
    "worker": ("klucznik.worker:worker", "Deliver mails, events and logout tokens."),
    "mail-catcher": ("klucznik.mail_catcher.command:mail_catcher", "Catch mails and show them."),
    "db": ("klucznik.db:db", "Make, upgrade and look at the databases."),
    "demo": ("idp.cli.demo:demo", "Print the demo people and addresses."),
    "person": ("idp.cli.person:person", "Create, import and show people."),
    "account": ("idp.cli.account:account", "Create, list, suspend, hand over, close accounts."),
    "application": (
        "idp.cli.applications:application",
        "Declare what applications let people do.",
    ),
    "passwords": ("idp.cli.passwords:passwords", "Refuse breached passwords; drop imported ones."),
    "client": ("idp.cli.client:client", "Register and list applications."),
    "keys": ("idp.cli.keys:keys", "Rotate signing keys; end the use of old encryption keys."),
    "audit": ("idp.cli.audit:audit", "Prove that the audit trail is whole."),
    "outbox": ("idp.cli.outbox:outbox", "See what could not be delivered, and send it again."),
    "doctor": ("klucznik.doctor:doctor", "Look for what is wrong, and say what to do."),
}


@click.command(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name=None, version="0.1.0", prog_name="klucznik")
def klucznik() -> None:
    """Klucznik: one identity for a person, used in every application.

    Settings come from the environment (KLUCZNIK_…) and from settings.env in KLUCZNIK_HOME.
    """


def main() -> None:
    """Run the command line; what is wrong is said in a sentence, not in a traceback."""
    # Databases and logs are for the user alone whom the program runs as.
    os.umask(0o077)
    try:
        klucznik(prog_name="klucznik")
    except KlucznikError as refused:
        sys.exit(f"klucznik: {refused.detail or type(refused).__name__}")
    except ValidationError as invalid:
        sys.exit("\n".join(["klucznik: the settings are not right", *_sentences(invalid)]))


def _sentences(invalid: ValidationError) -> list[str]:
    """What is wrong with the settings. Never with the value: it may be a secret."""
    return [
        f"  {PREFIX}{'_'.join(map(str, error['loc'])).upper() or '…'}: {error['msg']}"
        for error in invalid.errors(include_input=False, include_url=False)
    ]
