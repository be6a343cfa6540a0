"""Write the pages that are lists: settings, metrics, audit events, commands, the module map.

Each is made from what the code says about itself, so that none of it is said twice;
`make format` writes them, and tests/architecture fails when one is out of date.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kernel.settings import PREFIX, Settings
from klucznik.cli import COMMANDS, klucznik
from tools.check import packages
from tools.shell import ROOT, say

FOLDER = ROOT / "docs" / "operators"

_SETTINGS = """\
# Settings

Every setting is read from the environment, as `{prefix}` and its name. Read in this order, the
first one wins: the environment; for a setting that is marked *secret*, or any other, the file
that `{prefix}<NAME>_FILE` names; `settings.env` in the home folder, which the first start on one
machine writes; the default. Lists are written with commas.

This page is made from the code by `make format`.
"""

_METRICS = """\
# Metrics

In Prometheus' format, at `/metrics` on a port of their own (`KLUCZNIK_METRICS_PORT`, on loopback).
No label holds anything that a client chooses. A counter's labels stand in brackets.

This page is made from the code by `make format`.

"""

_AUDIT = """\
# Audit events

Every row of the audit trail names one of these events. Rows are written in the transaction of the
change that they tell of; a worker chains and seals them within a second. `klucznik audit verify`
proves that nothing was changed, taken out or put in, and says where if it was.

This page is made from the code by `make format`.
"""

_COMMANDS = """\
# The command line

`klucznik` is in `.venv/bin` after the set-up, and on the path in the container. Every command
explains itself with `--help`; those that print facts take `--json`.

This page is made from the code by `make format`.
"""

_EVENTS = """\
# What Klucznik tells by itself

Two feeds, for two listeners: **security events** for applications that people sign in to, **webhooks** for an
account's own programs.

## Security events

Register where you listen: `klucznik client create … --security-events-uri https://app.example/security-events`.
You get a signed token by POST (RFC 8935), `Content-Type: application/secevent+jwt`, and answer **202** with an empty body.
To refuse it, answer 400 with `{"err": "invalid_request", "description": "…"}`; with anything else, or nothing, we
try again for a day. You are told of people who have signed in to you, and of accounts in which somebody uses you. When an account
gets or loses your application you are told in any case, and no other application is.

Check, before you act: `typ` is `secevent+jwt`, the signature by a key of `/jwks`, `iss`, `aud` is you alone, `jti` is new
(answer 202 to one that you have had), `iat` is not older than ten minutes. There is no `exp`.

| event | `sub_id` | do |
|---|---|---|
| `…/risc/event-type/account-disabled` | the person (`iss_sub`) | end all of the person's sessions |
| `…/risc/event-type/account-enabled` | the person | nothing: they sign in again |
| `…/caep/event-type/session-revoked` | `complex`: `user` and `tenant`, or `tenant` alone for everybody in it | ask again before you answer them: refresh, or introspect |
| `<issuer>/events/context-changed` | the same | the same: roles, permissions or the account are others now |
| `…/ssf/event-type/verification` | you (`opaque`) | note the time: a heartbeat, every fifteen seconds |

`…` is `https://schemas.openid.net/secevent`. `tenant` is the account's id, as in the claim `tenant_id`. Events can come out
of order: each has a `version`; when you have acted on a larger one about the same `sub_id`, leave the smaller. A
heartbeat's `waiting` says how many events we could not deliver to you: while it is not 0, when none came for a minute, and
after your own restart, take nothing for granted that is older than the request.

Whole sign-ins end by back-channel logout, as ever. `klucznik client deliveries <client id>` shows what you were told and how
you took it.

## Webhooks

Made over the API. They follow [Standard Webhooks](https://www.standardwebhooks.com): take one
of its libraries, give it the secret (`whsec_…`, shown once) and the three headers `webhook-id`, `webhook-timestamp`,
`webhook-signature`. Answer 2xx within five seconds. Anything else is tried again, later and later, twenty times over some
hours; **410** switches the endpoint off, and so do five days without success: then those who manage the
account's webhooks get a mail. `webhook-id` is the same at every attempt and every
replay: act on it once. While a secret is replaced, both sign.

```json
{"type": "member.roles_changed", "timestamp": "2026-06-01T12:00:00+00:00",
 "data": {"account": "0123456789ab", "membership": "01972b1c-…"}}
```

`data` holds ids. Names and addresses are at the API, for whom may see them. `webhook.test` means nothing: somebody tries the
address out. Events are not in order; ask the API what is true now.

This page is made from the code by `make format`.

| event | what happened |
|---|---|
"""

_SETTINGS_CLASS = re.compile(r"^class \w+\(\w*Settings\):", re.MULTILINE)
_ENUMERATION = re.compile(r"^class \w+\(\w*(StrEnum|Event)\):", re.MULTILINE)
_MAP_BEGINS, _MAP_ENDS = "<!-- modules -->", "<!-- /modules -->"


def pages() -> dict[Path, Callable[[], str]]:
    """Return each page's file and what makes its text."""
    return {
        FOLDER / "settings.md": settings_page,
        FOLDER / "metrics.md": metrics_page,
        FOLDER / "audit-events.md": audit_page,
        FOLDER / "command-line.md": commands_page,
        ROOT / "docs" / "relying-applications" / "events.md": events_page,
        ROOT / "ARCHITECTURE.md": architecture_page,
    }


def settings_page() -> str:
    """Return the table of every setting of every program."""
    text = _SETTINGS.format(prefix=PREFIX)
    described: set[str] = set()
    for settings in settings_classes():
        own = {
            name: field for name, field in settings.model_fields.items() if name not in described
        }
        described |= own.keys()
        title = _first_line(settings.__doc__).partition(". ")[0].rstrip(".")
        text += f"\n## {title}\n\n| setting | default | what it is |\n|---|---|---|\n"
        text += "".join(_setting(name, field) for name, field in own.items())
    return text


def settings_classes() -> list[type[Settings]]:
    """Return every class of settings, those that are shared first."""
    for package in packages():
        for path in sorted((ROOT / package).rglob("*.py")):
            if _SETTINGS_CLASS.search(path.read_text()):
                import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    own = (heir for heir in _heirs(Settings) if heir.__module__.split(".")[0] in packages())
    return [Settings, *own]


def _heirs(ancestor: type[Settings]) -> Iterator[type[Settings]]:
    for heir in sorted(ancestor.__subclasses__(), key=lambda one: one.__module__):
        yield heir
        yield from _heirs(heir)


def _setting(name: str, field: FieldInfo) -> str:
    words = field.description or ""
    secret = "; *secret*" if field.annotation is SecretStr else ""
    return f"| `{PREFIX}{name.upper()}` | {_default(field)} | {words}{secret} |\n"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`var` in the project's folder"
    value = field.default
    if value is PydanticUndefined:
        return "must be set"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def metrics_page() -> str:
    """Return the list of every counter, gauge and distribution."""
    return _METRICS + "".join(
        f"- `klucznik_{name}`{f' ({labels})' if labels else ''}: {words}\n"
        for name, words, labels in sorted(_declared_metrics())
    )


def _declared_metrics() -> Iterator[tuple[str, str, str]]:
    """Read calls such as `counter("mails_total", "Mails sent", ["result"])` out of the code."""
    for package in packages():
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _is_metric(node):
                    words = [ast.literal_eval(word) for word in node.args[:2]]
                    labels = [
                        ast.literal_eval(value)
                        for value in (*node.args[2:3], *_keyword(node, "labels"))
                    ]
                    yield words[0], words[1], ", ".join(labels[0]) if labels else ""


def _is_metric(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else None
    if isinstance(call.func, ast.Attribute):
        name = call.func.attr
    return (
        name in {"counter", "gauge", "histogram"}
        and all(isinstance(word, ast.Constant) for word in call.args[:2])
        and len(call.args) >= 2
    )


def _keyword(call: ast.Call, name: str) -> list[ast.expr]:
    return [keyword.value for keyword in call.keywords if keyword.arg == name]


def audit_page() -> str:
    """Return every audit event, by the feature that writes it."""
    text = _AUDIT
    for title, events in audit_events():
        text += f"\n## {title}\n\n" + "".join(f"- `{event}`\n" for event in events)
    return text


def audit_events() -> Iterator[tuple[str, list[str]]]:
    """Find the enumerations whose values have the grammar of events: `thing:deed:result`."""
    for package in packages():
        for path in sorted((ROOT / package).rglob("*.py")):
            if not _ENUMERATION.search(path.read_text()):
                continue
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for found in vars(module).values():
                if not (isinstance(found, type) and issubclass(found, StrEnum)):
                    continue
                values = [str(value) for value in found]
                own = found.__module__ == module.__name__
                if own and values and all(_is_event(value) for value in values):
                    yield _first_line(found.__doc__).rstrip("."), values


def _is_event(value: str) -> bool:
    """Whether a value reads like an audit event.

    >>> _is_event("person:password:changed"), _is_event("urn:klucznik:acr"), _is_event("pl")
    (True, False, False)
    """
    return value.count(":") >= 1 and not value.startswith("urn:") and "/" not in value


def events_page() -> str:
    """Return what applications and accounts are told, with the catalogue of webhooks."""
    catalogue = import_module("tenants.webhooks.catalogue")
    return _EVENTS + "".join(
        f"| `{kind.value}` | {words} |\n" for kind, words in catalogue.EXPLAINED.items()
    )


def commands_page() -> str:
    """Return every command with its words."""
    text = _COMMANDS
    context = click.Context(klucznik, info_name="klucznik")
    for name in COMMANDS:
        command = klucznik.get_command(context, name)
        if command is not None:
            text += "".join(_command(f"klucznik {name}", command))
    return text


def _command(words: str, command: click.Command) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=words)))
    yield f"\n## `{words} {usage}`\n\n{_first_line(command.help)}\n"
    options = [
        f"- `{'`, `'.join(option.opts)}`: {option.help}\n"
        for option in command.params
        if isinstance(option, click.Option) and option.help and not option.hidden
    ]
    if options:
        yield "\n" + "".join(options)
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _command(f"{words} {name}", inner)


def architecture_page() -> str:
    """Return ARCHITECTURE.md with its module map as the packages themselves tell it."""
    before, _, rest = (ROOT / "ARCHITECTURE.md").read_text().partition(_MAP_BEGINS)
    _, _, after = rest.partition(_MAP_ENDS)
    rows = "".join(f"| `{folder}/` | {words} |\n" for folder, words in _doors())
    table = f"\n| where | what it is for |\n|---|---|\n{rows}"
    return f"{before}{_MAP_BEGINS}{table}{_MAP_ENDS}{after}"


def _doors() -> Iterator[tuple[Path, str]]:
    for package in packages():
        for pattern in ("__init__.py", "*/__init__.py"):
            for path in sorted((ROOT / package).glob(pattern)):
                words = ast.get_docstring(ast.parse(path.read_text()))
                yield path.parent.relative_to(ROOT), _first_line(words)


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n\n")[0].replace("\n", " ").replace("  ", " ").strip()


def main() -> int:
    """Write the pages that are out of date."""
    for path, make in pages().items():
        text = make()
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            say(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
