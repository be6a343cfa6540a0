"""Static files: read once, addressed by the hash of their content, kept by browsers for a year.

Every package of a program may bring a `static` folder; its files are at
`/static/<hash>/<package>/<path>`. The hash is of all files together, so that what a stylesheet
names beside itself is found under the same hash. An older hash, asked for while a new version is
rolled out, gets today's file, for a short time.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from kernel import brand
from kernel.i18n.catalogs import package_folder
from kernel.web.access import public
from kernel.web.templates import known_to

blueprint = Blueprint("static_files", __name__)

_EXTENSION = "klucznik.assets"
_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_A_WHILE = "public, max-age=300"
_WORTH_COMPRESSING = 1_000
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_COMPRESSED = frozenset({".css", ".js", ".svg", ".webmanifest"})
_SYMBOL = re.compile(r'<symbol id="(?P<name>[a-z0-9-]+)"[^>]*>(?P<shape>.*?)</symbol>', re.DOTALL)


@dataclass(frozen=True)
class Asset:
    """One file that browsers may fetch."""

    content: bytes
    suffix: str

    @property
    def content_type(self) -> str:
        return _TYPES.get(self.suffix) or mimetypes.types_map.get(
            self.suffix, "application/octet-stream"
        )

    @cached_property
    def compressed(self) -> bytes | None:
        """The file as gzip, made when first asked for; None where it would not pay."""
        if self.suffix not in _COMPRESSED or len(self.content) < _WORTH_COMPRESSING:
            return None
        return gzip.compress(self.content, compresslevel=9, mtime=0)


class Assets:
    """All static files of a program."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._files = {name: asset for package in packages for name, asset in _files_of(package)}
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name].content)
        self.version = digest.hexdigest()[:16]
        self._icons = _icons(self._files.get("kernel/vendor/icons.svg"))

    def find(self, name: str) -> Asset | None:
        return self._files.get(name)

    def icon_shape(self, name: str) -> str:
        """What is drawn, or nothing where the set-up has not brought the icons."""
        return self._icons.get(name, "")


def set_up_assets(app: Flask, packages: Sequence[str]) -> None:
    """Read the static files of `packages` and let templates name them."""
    app.extensions[_EXTENSION] = _assets_of(tuple(packages))
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(static_url=static_url, icon=icon)
    known_to(app).update(static_url=static_url, icon=icon)


def static_url(name: str) -> str:
    """The address of a static file, `kernel/klucznik.css`."""
    assets: Assets = current_app.extensions[_EXTENSION]
    return url_for("static_files.file", version=assets.version, name=name)


def icon(name: str, label: str = "", size: int = 20) -> Markup:
    """One of Tabler's icons, drawn in place; without a label it is decoration."""
    assets: Assets = current_app.extensions[_EXTENSION]
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - the shape is Tabler's, from the set-up; the label is escaped
        f'<svg class="icon icon-{escape(name)}" width="{size:d}" height="{size:d}" viewBox="0 0 24 24" '
        'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" '
        f'stroke-linejoin="round" {named} focusable="false">{assets.icon_shape(name)}</svg>'
    )


@blueprint.get("/static/<version>/<path:name>")
@public
def file(version: str, name: str) -> ResponseReturnValue:
    """Serve one file."""
    assets: Assets = current_app.extensions[_EXTENSION]
    asset = assets.find(name)
    if asset is None:
        abort(404)
    response = Response(asset.content, content_type=asset.content_type)
    response.headers["Cache-Control"] = _FOR_GOOD if version == assets.version else _FOR_A_WHILE
    if asset.compressed is not None:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"]:
            response.set_data(asset.compressed)
            response.headers["Content-Encoding"] = "gzip"
    return response


@blueprint.get("/favicon.ico")
@public
def favicon() -> ResponseReturnValue:
    """The mark for browsers that ask at the root, whatever the page says."""
    assets: Assets = current_app.extensions[_EXTENSION]
    asset = assets.find("kernel/favicon.svg")
    if asset is None:
        abort(404)
    response = Response(asset.content, content_type=asset.content_type)
    response.headers["Cache-Control"] = _FOR_A_WHILE
    return response


@blueprint.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Nothing here is for search engines."""
    response = Response("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = _FOR_A_WHILE
    return response


@cache
def _assets_of(packages: tuple[str, ...]) -> Assets:
    return Assets(packages)


def _files_of(package: str) -> Iterator[tuple[str, Asset]]:
    folder = package_folder(package) / "static"
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and _may_be_served(path, folder):
            yield (
                f"{package}/{path.relative_to(folder).as_posix()}",
                Asset(path.read_bytes(), path.suffix),
            )
    if package == "kernel":
        yield "kernel/tokens.css", Asset(brand.stylesheet().encode(), ".css")


def _may_be_served(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix in _TYPES


def _icons(sprite: Asset | None) -> dict[str, str]:
    if sprite is None:
        return {}
    return {match["name"]: match["shape"] for match in _SYMBOL.finditer(sprite.content.decode())}
