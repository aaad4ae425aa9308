"""No template writes what the content security policy would refuse, or hands text to the browser unescaped."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("accounts", "renewals", "forecasting", "templates")
REFUSED = {
    "inline style": r"<style\b|\sstyle\s*=",
    "inline script": r"<script\b(?![^>]*\ssrc=)",
    "event attribute": r"\son[a-z]+\s*=\s*[\"'{]",
    "script in htmx": r"\shx-on|\bjs:|javascript:",
    "unescaped text": r"\|\s*safe\b|\{%\s*autoescape\s+off|mark_safe",
    "foreign host": r"(?:src|href)=[\"']?(?:https?:)?//",
}


def test_the_patterns_find_what_they_name() -> None:
    samples = {
        "inline style": '<p style="x">',
        "inline script": "<script>x</script>",
        "event attribute": '<a onclick="x">',
        "script in htmx": "<a hx-on:click='x'>",
        "unescaped text": "{{ x|safe }}",
        "foreign host": '<script src="https://x/y.js">',
    }
    assert {name for name, sample in samples.items() if re.search(REFUSED[name], sample)} == set(REFUSED)


def test_no_template_needs_a_wider_policy() -> None:
    found = [
        f"{template.relative_to(ROOT)}: {name}: {match.group()}"
        for room in ROOMS
        for template in (ROOT / room).rglob("*.html")
        for name, pattern in REFUSED.items()
        for match in re.finditer(pattern, template.read_text())
    ]
    assert found == []
