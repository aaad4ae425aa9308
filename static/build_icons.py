"""Build icons.svg, the sprite of the Tabler outline icons that the site uses.

    python static/build_icons.py FOLDER

FOLDER is `icons/outline` of the npm package `@tabler/icons` in the version that static/vendor/README.md names.
To add an icon, add its name to icons.txt (a second word there is Tabler's name, where ours differs) and run this again.
The drawing is copied unchanged; size, stroke and colour come from CSS, so one symbol serves every place.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).parent
SVG = "http://www.w3.org/2000/svg"


def main(folder: Path) -> None:
    ElementTree.register_namespace("", SVG)
    sprite = ElementTree.Element(f"{{{SVG}}}svg")
    for line in (HERE / "icons.txt").read_text().splitlines():
        name, source = line.split()[0], line.split()[-1]
        drawing = ElementTree.parse(folder / f"{source}.svg").getroot()  # noqa: S314 - a package we unpacked ourselves
        symbol = ElementTree.SubElement(sprite, f"{{{SVG}}}symbol", {"id": name, "viewBox": drawing.get("viewBox", "")})
        for shape in drawing:
            # Tabler starts each file with an invisible square that only design programs need.
            if shape.get("stroke") != "none":
                shape.tail = None
                symbol.append(shape)
        symbol.tail = "\n"
    (HERE / "icons.svg").write_bytes(ElementTree.tostring(sprite, encoding="utf-8") + b"\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
