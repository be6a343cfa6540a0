"""Front-end files are copied to where we serve them, and nothing else is."""

import pytest

from tools import assets
from tools.shell import Failed


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A made-up node_modules and an empty vendor folder."""
    icons = tmp_path / "node_modules" / "@tabler" / "icons" / "icons" / "outline"
    icons.mkdir(parents=True)
    (icons / "key.svg").write_text('<svg\n  width="24"\n>\n  <path d="M1 1h1" />\n</svg>')
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "NODE_MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(assets, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(assets, "STAMP", tmp_path / "vendor" / ".stamp")
    monkeypatch.setattr(assets, "ICONS", tmp_path / "icons.txt")
    monkeypatch.setattr(assets, "FILES", {"lib/lib.js": "lib/lib.js"})
    (tmp_path / "node_modules" / "lib").mkdir()
    (tmp_path / "node_modules" / "lib" / "lib.js").write_text("1;\n//# sourceMappingURL=lib.map\n")
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "icons.txt").write_text("# what we use\nkey  # on the sign-in page\n")
    return tmp_path


def test_files_are_copied_without_a_word_about_source_maps(folders):
    assert assets.bring()

    assert (folders / "vendor" / "lib" / "lib.js").read_text() == "1;\n\n"


def test_nothing_is_done_a_second_time(folders):
    assets.bring()

    assert not assets.bring()


def test_a_new_icon_is_reason_enough(folders):
    assets.bring()
    (folders / "icons.txt").write_text("")

    assert assets.bring()


def test_the_sprite_has_a_symbol_for_each_icon(folders):
    assets.bring()

    sprite = (folders / "vendor" / "icons.svg").read_text()
    assert '<symbol id="key" viewBox="0 0 24 24"' in sprite
    assert '<path d="M1 1h1" />' in sprite


def test_an_icon_that_does_not_exist_is_named(folders):
    (folders / "icons.txt").write_text("kye\n")

    with pytest.raises(Failed, match="kye"):
        assets.bring()
