"""Open renewals by due date, risk and value."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

import numpy as np

from accounts.templatetags.money import compact_money, currency_sign
from dashboards.frame import Frame
from dashboards.risk.reading import BANDS, OpenBook
from dashboards.rollups.days import in_band
from dashboards.rollups.reading import EPOCH
from dashboards.tiles import Cell, Kind, Row, Tile
from forecasting.frames import Arrays
from forecasting.overview.dashboard import OPEN
from forecasting.periods import first_day, month_number
from forecasting.pictures import Drawing, drawn, empty_figure
from renewals.models import Renewal

LARGEST_PIXELS: Final = 44
COLOURS: Final = {"high": "loss", "medium": "late", "low": "commit"}
NOT_THEN: Final = "What is open and at risk is shown as it is now. Go back to now to see it."
NOTHING: Final = "Nothing is open with a risk score for this choice of filters."


def bubbles_tile(frame: Frame, book: OpenBook) -> Tile:
    """The largest by value; a bubble, and its row in the table, opens the renewals of the account due that day."""
    own, shown_count = book.largest, book.largest["renewal_id"].size
    scored_count = book.total("open_count") - book.total("unscored_count")
    scored_cents = book.total("open_cents") - book.total("unscored_cents")
    left_out = scored_count - shown_count
    names = names_of(frame, own)
    caption = "Each open renewal by its due day and risk score, as large as its baseline. The line is today."
    notes = []
    if left_out:
        rest = Decimal(scored_cents - int(own["baseline_cents"].sum())) / 100
        caption += f" The {shown_count:,} largest of {scored_count:,}."
        notes.append(f"{left_out:,} smaller ones, {compact_money(rest, frame.currency)} together, are left out.")
    table = [
        Row(
            names[place],
            [
                Cell(amount, Kind.MONEY),
                Cell(Decimal(str(round(float(own["risk_score"][place]), 2))), Kind.COUNT),
                Cell((due_on - frame.as_of).days, Kind.COUNT),
            ],
            _rows_url(frame, own, place),
        )
        for place, (due_on, amount) in enumerate(_points(own))
    ]
    if left_out:
        table.append(
            Row(
                f"All {scored_count:,} open renewals with a risk score",
                [Cell(Decimal(scored_cents) / 100, Kind.MONEY), *_blank(2)],
                frame.scope.rows_url(timing=OPEN, risk=("high", "medium", "low"), sort="-baseline_amount"),
                is_total=True,
            )
        )
    return Tile(
        "bubbles",
        "Open renewals by due date, risk and value",
        caption,
        "Renewal",
        [f"Value, {currency_sign(frame.currency)}", "Risk score", "Days until due"],
        table,
        drawn(_figure(frame, own, names)) if shown_count else None,
        NOT_THEN if frame.past is not None else NOTHING,
        "p-span-12",
        notes,
    )


def _blank(count: int) -> list[Cell]:
    return [Cell(None, Kind.COUNT) for _ in range(count)]


def _points(own: Arrays) -> list[tuple[dt.date, Decimal]]:
    return [
        (EPOCH + dt.timedelta(days=int(day)), Decimal(int(cents)) / 100)
        for day, cents in zip(own["due"], own["baseline_cents"], strict=True)
    ]


def names_of(frame: Frame, own: Arrays) -> list[str]:
    """Account and due day of each, in their order."""
    ids = own["renewal_id"].tolist()
    seen = Renewal.objects.visible_to(frame.user).filter(pk__in=ids).order_by()
    accounts = dict(seen.values_list("pk", "account__name"))
    days = [EPOCH + dt.timedelta(days=int(day)) for day in own["due"]]
    return [
        f"{accounts.get(pk, 'A renewal that you do not see now')}, {day:%d %b %Y}"
        for pk, day in zip(ids, days, strict=True)
    ]


def _rows_url(frame: Frame, own: Arrays, place: int) -> str:
    due_on = EPOCH + dt.timedelta(days=int(own["due"][place]))
    account = int(own["account_id"][place])
    return frame.scope.rows_url(account=account, due_from=due_on, due_to=due_on, timing=OPEN)


def _figure(frame: Frame, own: Arrays, names: list[str]) -> Drawing:
    points = _points(own)
    figure = empty_figure("group", [])
    figure.layout["xaxis"] = _axis([due_on for due_on, _ in points] + [frame.as_of])
    figure.update_yaxes(title={"text": "Risk score", "font": {"size": 11}}, rangemode="tozero")
    figure.layout["legend"]["itemsizing"] = "constant"
    figure.update_layout(shapes=[_today_line(frame.as_of)], annotations=[_today_word(frame.as_of)])
    whole = max(int(own["baseline_cents"].max()), 1)
    for band in BANDS[:3]:
        within = np.flatnonzero(in_band(own["risk_score"], band)).tolist()
        if not within:
            continue
        figure.add_trace(
            {
                "type": "scatter",
                "x": [points[place][0].isoformat() for place in within],
                "y": [round(float(own["risk_score"][place]), 2) for place in within],
                "mode": "markers",
                "name": f"{band.capitalize()} risk",
                "customdata": [
                    [
                        _rows_url(frame, own, place),
                        _words(frame, names[place], points[place][1], own["risk_score"][place]),
                    ]
                    for place in within
                ],
                "hovertemplate": "%{customdata[1]}<extra></extra>",
                "marker": {
                    "size": [int(own["baseline_cents"][place]) / whole for place in within],
                    "sizemode": "area",
                    "sizeref": 2 / LARGEST_PIXELS**2,
                    "sizemin": 4,
                    "color": f"var(--p-chart-{COLOURS[band]})",
                    "opacity": 0.65,
                    "line": {"width": 1, "color": "var(--p-surface)"},
                },
            }
        )
    return figure


def _words(frame: Frame, name: str, amount: Decimal, score: float) -> str:
    # Of a name, what plotly.js would read as markup is left out.
    plain = name.replace("<", "‹").replace(">", "›")
    return f"{plain}<br>{compact_money(amount, frame.currency)}, risk {score:.0f}"


def _axis(days: list[dt.date]) -> dict[str, Any]:
    """Of days, with a tick at every month's first day."""
    first, last = month_number(min(days)), month_number(max(days))
    step = (last - first) // 18 + 1
    ticks = [first_day(month) for month in range(first, last + 2, step)]
    margin = dt.timedelta(days=10)
    return {
        "type": "date",
        "fixedrange": True,
        "showgrid": True,
        "gridcolor": "var(--p-chart-grid)",
        "zeroline": False,
        "tickangle": 0,
        "automargin": True,
        "range": [(min(days) - margin).isoformat(), (max(days) + margin).isoformat()],
        "tickvals": [tick.isoformat() for tick in ticks],
        "ticktext": [f"{tick:%b<br>%y}" for tick in ticks],
    }


def _today_line(today: dt.date) -> dict[str, Any]:
    line = {"color": "var(--p-chart-call)", "width": 1, "dash": "dot"}
    return {"type": "line", "x0": today.isoformat(), "x1": today.isoformat(), "yref": "paper", "y0": 0, "y1": 1} | {
        "line": line
    }


def _today_word(today: dt.date) -> dict[str, Any]:
    return {
        "x": today.isoformat(),
        "y": 1,
        "yref": "paper",
        "text": "Today",
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "top",
        "font": {"size": 11, "color": "var(--p-chart-ink)"},
    }
