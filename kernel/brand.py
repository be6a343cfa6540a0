"""Our name, our colours: one place for pages and mails.

Every pair of text and background that is used together reaches WCAG AA (4.5 to 1; 3 to 1 for what
is not text); tests/kernel/test_brand.py measures it.
"""

from collections.abc import Mapping

NAME = "Klucznik"

FONT = '"Inter", system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

LIGHT: Mapping[str, str] = {
    "canvas": "#f4f6f8",
    "surface": "#ffffff",
    "surface-raised": "#ffffff",
    "surface-sunken": "#eef1f4",
    "surface-hover": "#f1f4f7",
    "line": "#dbe1e8",
    "line-strong": "#7b8794",
    "text": "#16202c",
    "text-muted": "#526070",
    "primary": "#0f5e6b",
    "primary-hover": "#0b4b56",
    "primary-text": "#0f5e6b",
    "primary-soft": "#e3f1f2",
    "primary-line": "#9cc9cf",
    "on-primary": "#ffffff",
    "accent": "#e8a33d",
    "accent-text": "#7a4a00",
    "accent-soft": "#fdf3e0",
    "success": "#1b7345",
    "success-text": "#17643c",
    "success-soft": "#e4f4ea",
    "success-line": "#a3d5b8",
    "warning": "#9a5b00",
    "warning-text": "#7a4a00",
    "warning-soft": "#fdf3e0",
    "warning-line": "#eccd93",
    "danger": "#b3261e",
    "danger-hover": "#931f18",
    "danger-text": "#a3211a",
    "danger-soft": "#fcebea",
    "danger-line": "#ecb4b0",
    "info": "#1f5fa8",
    "info-text": "#1c5596",
    "info-soft": "#e8f0fa",
    "info-line": "#adc8e8",
    "on-state": "#ffffff",
    "focus": "#0f5e6b",
    "shadow": "rgba(16, 32, 48, 0.12)",
    "shadow-soft": "rgba(16, 32, 48, 0.05)",
    "backdrop": "rgba(16, 24, 34, 0.45)",
}

DARK: Mapping[str, str] = {
    "canvas": "#0e1419",
    "surface": "#161e25",
    "surface-raised": "#1d2730",
    "surface-sunken": "#11181e",
    "surface-hover": "#202b35",
    "line": "#2b3843",
    "line-strong": "#75828f",
    "text": "#e8edf2",
    "text-muted": "#a3b0bd",
    "primary": "#4fb3c1",
    "primary-hover": "#6cc4d0",
    "primary-text": "#6cc4d0",
    "primary-soft": "#12333a",
    "primary-line": "#2a6670",
    "on-primary": "#06252a",
    "accent": "#f0b45c",
    "accent-text": "#f3c47f",
    "accent-soft": "#33270f",
    "success": "#4fbf85",
    "success-text": "#6fd09c",
    "success-soft": "#12301f",
    "success-line": "#2b6a47",
    "warning": "#e5a94f",
    "warning-text": "#f0c07a",
    "warning-soft": "#33270f",
    "warning-line": "#6d5321",
    "danger": "#ee7d75",
    "danger-hover": "#f3978f",
    "danger-text": "#f49b94",
    "danger-soft": "#3a1a18",
    "danger-line": "#7d3833",
    "info": "#6aa9ea",
    "info-text": "#8abcf0",
    "info-soft": "#132a42",
    "info-line": "#2f5780",
    "on-state": "#0b1116",
    "focus": "#7fd0db",
    "shadow": "rgba(0, 0, 0, 0.5)",
    "shadow-soft": "rgba(0, 0, 0, 0.25)",
    "backdrop": "rgba(0, 0, 0, 0.6)",
}

# Tabler's own variables, said in ours, so that its parts wear our colours in both themes.
_TABLER: Mapping[str, str] = {
    "body-bg": "canvas",
    "body-color": "text",
    "emphasis-color": "text",
    "heading-color": "text",
    "secondary-color": "text-muted",
    "tertiary-color": "text-muted",
    "secondary": "text-muted",
    "muted": "text-muted",
    "bg-surface": "surface",
    "bg-surface-secondary": "surface-sunken",
    "bg-surface-tertiary": "surface-sunken",
    "bg-forms": "surface",
    "border-color": "line",
    "border-color-translucent": "line",
    "link-color": "primary-text",
    "link-hover-color": "primary-hover",
    "primary": "primary",
    "primary-fg": "on-primary",
    "success": "success",
    "warning": "warning",
    "danger": "danger",
    "info": "info",
}
_TABLER_CHANNELS: Mapping[str, str] = {
    "primary-rgb": "primary",
    "link-color-rgb": "primary-text",
    "link-hover-color-rgb": "primary-hover",
    "success-rgb": "success",
    "warning-rgb": "warning",
    "danger-rgb": "danger",
    "info-rgb": "info",
    "body-color-rgb": "text",
    "body-bg-rgb": "canvas",
}


def stylesheet() -> str:
    """The colours as custom properties: light, dark by the system's wish, and either by choice."""
    return "\n".join(
        [
            f":root {{\n  color-scheme: light;\n{_declarations(LIGHT)}}}",
            "@media (prefers-color-scheme: dark) {\n"
            f':root:not([data-bs-theme="light"]) {{\n  color-scheme: dark;\n{_declarations(DARK)}}}\n}}',
            f':root[data-bs-theme="dark"] {{\n  color-scheme: dark;\n{_declarations(DARK)}}}',
            "",
        ]
    )


def contrast(one: str, other: str) -> float:
    """How well two colours can be told apart (WCAG 2.2).

    >>> round(contrast("#ffffff", "#000000"))
    21
    """
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _declarations(colours: Mapping[str, str]) -> str:
    own = [f"  --{name}: {value};" for name, value in colours.items()]
    tabler = [f"  --tblr-{name}: {colours[token]};" for name, token in _TABLER.items()]
    channels = [
        f"  --tblr-{name}: {', '.join(map(str, _channels(colours[token])))};"
        for name, token in _TABLER_CHANNELS.items()
    ]
    return "\n".join([*own, *tabler, *channels, ""])


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
