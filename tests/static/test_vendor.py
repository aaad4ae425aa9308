"""What is vendored is exactly what static/vendor/README.md says, and the sprite has every icon that is asked for."""

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from accounts.context_processors import GROUPS
from accounts.templatetags.look import STATES

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
OUR_ROOMS = ("accounts", "renewals", "forecasting", "templates")


def sprite_names() -> set[str]:
    return {symbol.attrib["id"] for symbol in ElementTree.parse(ROOT / "static" / "icons.svg").getroot()}


def test_vendored_files_have_the_sums_of_the_readme() -> None:
    stated = dict(
        re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    )
    files = [path for path in VENDOR.rglob("*") if path.is_file() and path.name != "README.md"]
    actual = {str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert actual == stated


def test_every_vendored_folder_has_a_licence() -> None:
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert [folder.name for folder in folders if not (folder / "LICENSE").read_text().strip()] == []


def test_no_vendored_text_names_a_file_that_is_not_there() -> None:
    """The hashed-name storage follows source maps and fails on a missing one only at deployment."""
    texts = [*VENDOR.rglob("*.css"), *VENDOR.rglob("*.js")]
    assert [path.name for path in texts if re.search(r"sourceMappingURL=\S+\.map", path.read_text())] == []


def test_every_icon_in_a_template_is_in_the_sprite() -> None:
    asked: set[str] = {item.icon for group in GROUPS for item in group.items} | {
        name for name, _word in STATES.values()
    }
    for room in OUR_ROOMS:
        for template in (ROOT / room).rglob("*.html"):
            asked |= set(re.findall(r'\{%-? icon "([^"]+)"', template.read_text()))
            asked |= set(re.findall(r'components/empty\.html" with[^%]*\bicon="([^"]+)"', template.read_text()))
    assert sorted(asked - sprite_names()) == []
