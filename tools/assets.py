"""Bring the front end's third-party files from node_modules to where we serve them.

They land in `kernel/static/vendor/`, which git ignores: nothing of other people's
is committed. Icons become one sprite with just those that
`kernel/static/icons.txt` lists, used as

    <svg class="icon"><use href=".../vendor/icons.svg#key"></use></svg>
"""

import hashlib
import re
import shutil
from pathlib import Path

from tools.shell import ROOT, Failed

NODE_MODULES = ROOT / "node_modules"
STATIC = ROOT / "kernel" / "static"
VENDOR = STATIC / "vendor"
ICONS = STATIC / "icons.txt"
STAMP = VENDOR / ".stamp"

FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler/tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler/tabler.min.js",
    "@tabler/icons/LICENSE": "tabler/LICENSE",
    "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2": ("inter/inter-latin.woff2"),
    "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2": (
        "inter/inter-latin-ext.woff2"
    ),
    "@fontsource-variable/inter/LICENSE": "inter/LICENSE",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
    "htmx.org/LICENSE": "htmx/LICENSE",
    "chart.js/dist/chart.umd.min.js": "chart/chart.umd.min.js",
    "chart.js/LICENSE.md": "chart/LICENSE.md",
}

# The browser fetches the second file only when a page has a letter such as ą or ż.
INTER_CSS = """\
@font-face {
  font-family: "Inter";
  font-style: normal;
  font-weight: 100 900;
  font-display: swap;
  src: url("inter-latin.woff2") format("woff2");
  unicode-range: U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA,
    U+02DC, U+0304, U+0308, U+0329, U+2000-206F, U+20AC, U+2122, U+2191, U+2193,
    U+2212, U+2215, U+FEFF, U+FFFD;
}

@font-face {
  font-family: "Inter";
  font-style: normal;
  font-weight: 100 900;
  font-display: swap;
  src: url("inter-latin-ext.woff2") format("woff2");
  unicode-range: U+0100-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, U+02DD-02FF,
    U+0304, U+0308, U+0329, U+1D00-1DBF, U+1E00-1E9F, U+1EF2-1EFF, U+2020,
    U+20A0-20AB, U+20AD-20C0, U+2113, U+2C60-2C7F, U+A720-A7FF;
}
"""

_SOURCE_MAP = re.compile(r"^/[/*][#@] sourceMappingURL=.*$", re.MULTILINE)
_SVG = re.compile(r"<svg[^>]*>(?P<shape>.*)</svg>", re.DOTALL)


def bring() -> bool:
    """Copy what is missing or out of date; return whether anything was done."""
    wanted = _fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return False
    if VENDOR.exists():
        shutil.rmtree(VENDOR)
    for source, target in FILES.items():
        _copy(NODE_MODULES / source, VENDOR / target)
    _write(VENDOR / "inter" / "inter.css", INTER_CSS)
    _write(VENDOR / "icons.svg", sprite(icon_names()))
    _write(STAMP, wanted)
    return True


def icon_names() -> list[str]:
    """Return the icons that our pages use, as `kernel/static/icons.txt` lists them."""
    if not ICONS.exists():
        return []
    lines = (line.partition("#")[0].strip() for line in ICONS.read_text().splitlines())
    return sorted({line for line in lines if line})


def sprite(names: list[str]) -> str:
    """Return one SVG file with a symbol for each of Tabler's outline icons named."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg">\n'
        + "".join(_symbol(name) for name in names)
        + "</svg>\n"
    )


def _symbol(name: str) -> str:
    source = NODE_MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
    if not source.exists():
        raise Failed(f"{ICONS.relative_to(ROOT)} names an unknown icon: {name}")
    match = _SVG.search(source.read_text())
    if match is None:
        raise Failed(f"{source.relative_to(ROOT)} is not an SVG file")
    shape = " ".join(match["shape"].split())
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
        f"{shape}</symbol>\n"
    )


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix in {".css", ".js"}:
        # Their source maps stay behind, so a browser must not look for them.
        target.write_text(_SOURCE_MAP.sub("", source.read_text()))
    else:
        shutil.copyfile(source, target)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", Path(__file__), ICONS):
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()
