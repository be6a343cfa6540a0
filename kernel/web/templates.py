"""Templates, translated when they are compiled: a page in one language is mostly constant text.

A page asks for twenty texts, and for a dozen addresses and icons, which are the same every time. So
every template is compiled once for each language, and calls like `_("Sign in")` or
`static_url("kernel/klucznik.css")`, whose arguments stand in the template, are answered there and
then. What depends on the request stays a call.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, cast

from flask import Flask, current_app
from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.nodes import Impossible
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from kernel.i18n import current_language, gettext, speaking

Known = Mapping[str, Callable[..., Any]]


class PageTemplates(Environment):
    """The templates of a program, in the language that is spoken."""

    language: str | None = None
    """The one language of these templates; None: what is asked for comes in the one that is spoken."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spoken: dict[str, Self] = {}
        self.known: dict[str, Callable[..., Any]] = {"url_for": _path_to}
        """What gives the same answer to the same arguments, on every page in one language."""

    def overlay(self, *args: Any, **options: Any) -> Self:
        """The same templates with other options, for other things than pages."""
        other = super().overlay(*args, **options)
        other._spoken, other.known = {}, {}
        return other

    def get_template(self, name: str | Template, *args: Any, **options: Any) -> Template:
        if self.language is None:
            return self._in(current_language()).get_template(name, *args, **options)
        return super().get_template(name, *args, **options)

    def select_template(self, *args: Any, **options: Any) -> Template:
        if self.language is None:
            return self._in(current_language()).select_template(*args, **options)
        return super().select_template(*args, **options)

    def _in(self, language: str) -> Self:
        known = self._spoken.get(language)
        if known is None:
            made = self.overlay()
            made.language, made.known = language, self.known
            known = self._spoken.setdefault(language, made)
        return known

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if self.language is None:
            return tree
        escapes = self.autoescape(name) if callable(self.autoescape) else self.autoescape
        texts = {"_": gettext, "gettext": gettext}
        own = set(_own_words(tree))
        known = {word: act for word, act in {**self.known, **texts}.items() if word not in own}
        with speaking(self.language):
            return cast("nodes.Template", _Answering(known, texts, escapes=escapes).visit(tree))


def known_to(app: Flask) -> dict[str, Callable[..., Any]]:
    """What the pages of a program need to ask only once; functions are added at the set-up."""
    return cast("PageTemplates", app.jinja_env).known


class _Answering(NodeTransformer):
    """Puts answers where calls were whose answer is known."""

    def __init__(self, known: Known, texts: Known, *, escapes: bool) -> None:
        self._known = known
        self._texts = texts
        self._escapes = escapes

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 (jinja2 finds it by name)
        self.generic_visit(call)
        word = call.node.name if isinstance(call.node, nodes.Name) else ""
        answer = self._known.get(word)
        if answer is None or call.dyn_args is not None or call.dyn_kwargs is not None:
            return call
        try:
            args = [arg.as_const() for arg in call.args]
            options = {pair.key: pair.value.as_const() for pair in call.kwargs}
            if word not in self._texts:
                return nodes.Const(answer(*args, **options), lineno=call.lineno)
        except Impossible:
            return call
        if options or len(args) != 1:
            return call
        # As Jinja's own: a text is trusted as markup, and a lone % is written twice in it.
        text = answer(args[0])
        return nodes.Const((Markup(text) if self._escapes else text) % {}, lineno=call.lineno)  # noqa: S704


def _own_words(tree: nodes.Template) -> Iterator[str]:
    """The words that a template uses for something of its own: they are left alone."""
    for word in tree.find_all(nodes.Name):
        if word.ctx != "load":
            yield word.name
    for macro in tree.find_all(nodes.Macro):
        yield macro.name
    for whole in tree.find_all(nodes.Import):
        yield whole.target
    for named in tree.find_all(nodes.FromImport):
        for name in named.names:
            yield name if isinstance(name, str) else name[1]


def _path_to(endpoint: str, **values: Any) -> str:
    """What `url_for` says on a page."""
    if endpoint.startswith(".") or any(name.startswith("_") for name in values):
        raise Impossible
    return current_app.url_map.bind("").build(endpoint, values)
