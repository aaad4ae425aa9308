"""The executive page as a mail: its own figures, as tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import User
from dashboards.executive.page import build_executive
from dashboards.frame import Frame, read_frame_of
from dashboards.tiles import Row, Tile
from engagement.mail.outbox import SUBJECT_LENGTH, InlineImage

PAGE: Final = "dashboards:executive"


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str
    images: Sequence[InlineImage]


@dataclass(frozen=True)
class Picture:
    """A chart of the page. `image` is None where there is nothing to draw; `tile.empty` says why."""

    tile: Tile
    url: str
    image: InlineImage | None


def read_letter(user: User) -> Letter | None:
    """Of what this person sees; None while nothing is added up yet."""
    frame = read_frame_of(user, {}, PAGE)
    if not frame.has_figures:
        return None
    content = build_executive(frame)
    tiles = {tile.key: tile for tile in content.tiles}
    page_url = settings.SITE_URL + frame.scope.url()
    pictures = [_picture(tiles[key], f"{page_url}#{key}") for key in ("outlook", "rates", "risk")]
    context: dict[str, Any] = {
        "frame": frame,
        "whose": whose_book(frame),
        "words": content.words,
        "six": tiles["six"],
        "most": tiles["most"],
        "six_lines": [_line(tiles["six"], row) for row in tiles["six"].rows],
        "most_lines": [(_line(tiles["most"], row), settings.SITE_URL + row.url) for row in tiles["most"].rows],
        "pictures": pictures,
        "site_url": settings.SITE_URL,
        "page_url": page_url,
        "settings_url": settings.SITE_URL + reverse("dashboards:executive_mail"),
    }
    subject = f"Renewals as of {frame.as_of:%d %b %Y}: {content.words}"
    return Letter(
        " ".join(subject.split())[:SUBJECT_LENGTH],
        render_to_string("dashboards/executive/mail.txt", context),
        render_to_string("dashboards/executive/mail.html", context),
        [picture.image for picture in pictures if picture.image],
    )


def whose_book(frame: Frame) -> str:
    return str(frame.scope.owner or frame.scope.team or "The whole book")


def _line(tile: Tile, row: Row) -> str:
    """A row of a table in words: Won, Q4 FY26: now 12,000.00, period before 9,000.00."""
    said = (f"{head[0].lower()}{head[1:]} {cell.text}" for head, cell in zip(tile.heads, row.cells, strict=True))
    return f"{row.label}: {', '.join(said)}"


def _picture(tile: Tile, url: str) -> Picture:
    from dashboards.drawing import draw_png  # loads what only a mail needs; every process would carry it

    return Picture(tile, url, InlineImage(tile.key, draw_png(tile.figure)) if tile.figure else None)
