import pytest

from kernel import brand

TEXTS = ["text", "text-muted", "primary-text"]
GROUNDS = ["canvas", "surface", "surface-raised", "surface-sunken", "surface-hover"]
STATES = ["success", "warning", "danger", "info"]
THEMES = {"light": brand.LIGHT, "dark": brand.DARK}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read_on_every_ground(theme, text, ground):
    colours = THEMES[theme]

    assert brand.contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", [*STATES, "primary", "accent"])
def test_a_state_can_be_read_on_its_own_ground_and_on_paper(theme, state):
    colours = THEMES[theme]

    assert brand.contrast(colours[f"{state}-text"], colours[f"{state}-soft"]) >= 4.5
    assert brand.contrast(colours["text"], colours[f"{state}-soft"]) >= 4.5
    assert brand.contrast(colours[f"{state}-text"], colours["surface"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("on-primary", "primary"),
        ("on-primary", "primary-hover"),
        ("on-state", "danger"),
        ("on-state", "danger-hover"),
    ],
)
def test_a_button_can_be_read(theme, text, ground):
    colours = THEMES[theme]

    assert brand.contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["canvas", "surface", "surface-raised"])
@pytest.mark.parametrize("line", ["line-strong", "focus", "primary"])
def test_fields_and_focus_can_be_seen(theme, line, ground):
    colours = THEMES[theme]

    assert brand.contrast(colours[line], colours[ground]) >= 3


def test_both_themes_have_all_colours():
    assert brand.LIGHT.keys() == brand.DARK.keys()


def test_the_stylesheet_follows_the_system_unless_somebody_chose():
    css = brand.stylesheet()

    assert "@media (prefers-color-scheme: dark)" in css
    assert ':root:not([data-bs-theme="light"])' in css
    assert ':root[data-bs-theme="dark"]' in css
    assert f"--tblr-primary: {brand.DARK['primary']}" in css
