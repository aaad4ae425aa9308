"""Every text colour reads at 4.5:1 or better on every ground it stands on, in both themes (WCAG 2.1, 1.4.3)."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css").read_text()
GROUNDS = ("canvas", "surface", "raised", "sunken", "hover", "glow")
TEXTS = ("ink", "muted", "accent", "good", "warn", "bad", "info", "quiet")
# Text on a ground of its own kind.
PAIRS = (
    ("accent", "accent-soft"),
    ("accent-ink", "accent-fill"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("info", "info-soft"),
    ("ink", "good-soft"),
    ("ink", "warn-soft"),
    ("ink", "bad-soft"),
    ("ink", "info-soft"),
    ("toast-ink", "toast"),
    ("toast-accent", "toast"),
    ("chart-ink", "surface"),
)


def tokens(theme: str) -> dict[str, str]:
    """The hex colours of a theme; the dark theme overrides, so it starts from the light one."""
    light, dark = TOKENS.split('[data-bs-theme="dark"] {', maxsplit=1)
    colours = dict(re.findall(r"--p-([a-z-]+): (#[0-9a-f]{6});", light))
    return colours if theme == "light" else {**colours, **dict(re.findall(r"--p-([a-z-]+): (#[0-9a-f]{6});", dark))}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_the_reference_colours() -> None:
    assert (round(contrast("#ffffff", "#000000"), 2), round(contrast("#ffffff", "#767676"), 2)) == (21.0, 4.54)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_reads_on_every_ground(theme: str) -> None:
    colours = tokens(theme)
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS] + list(PAIRS)
    measured = {(text, ground): round(contrast(colours[text], colours[ground]), 2) for text, ground in pairs}
    assert {pair: ratio for pair, ratio in measured.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_ring_is_seen_on_every_ground(theme: str) -> None:
    """Non-text parts need 3:1 (1.4.11)."""
    colours = tokens(theme)
    measured = {ground: round(contrast(colours["focus"], colours[ground]), 2) for ground in (*GROUNDS, "accent-soft")}
    assert {ground: ratio for ground, ratio in measured.items() if ratio < 3} == {}
