"""The table of movements as a file: CSV for programs, XLSX with typed cells."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from io import BytesIO, StringIO

import xlsxwriter

from forecasting.mrr.ledger import KINDS, LOSSES, Ledger
from forecasting.mrr.page import HEADS

Value = dt.date | Decimal | str | None


def table_of(ledger: Ledger, currency: str) -> list[list[Value]]:
    """A header and a row for each month; what is lost is below 0."""
    rows: list[list[Value]] = [["Month", "State", "Currency", *HEADS, "Cross-sell", "Naive"]]
    for month in ledger.months:
        moved = [-month.amount(kind) if kind in LOSSES else month.amount(kind) for kind in KINDS]
        state = "over" if month.is_over else "running" if month.is_current else "expected"
        rates = [None if rate is None else round(rate, 6) for rate in (month.grr, month.nrr)]
        ends = [month.closing, month.low, month.high, month.signed]
        rows.append(
            [month.starts_on, state, currency, month.opening, *moved, *ends, *rates, month.cross_sell, month.naive]
        )
    return rows


def as_csv(rows: list[list[Value]]) -> bytes:
    """UTF-8 with a mark, by which spreadsheets know it."""
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: list[list[Value]]) -> bytes:
    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("MRR")
        head = workbook.add_format({"bold": True, "bottom": 1})
        month, money = (workbook.add_format({"num_format": form}) for form in ("mmm yyyy", "#,##0.00"))
        rate = workbook.add_format({"num_format": "0.0%"})
        sheet.set_column(0, len(rows[0]), 14)
        sheet.freeze_panes(1, 1)
        for at, values in enumerate(rows):
            for place, value in enumerate(values):
                if at == 0:
                    sheet.write_string(0, place, str(value), head)
                elif isinstance(value, dt.date):
                    sheet.write_datetime(at, place, dt.datetime.combine(value, dt.time()), month)
                elif isinstance(value, Decimal):
                    sheet.write_number(at, place, float(value), rate if rows[0][place] in {"GRR", "NRR"} else money)
                elif value is not None:
                    sheet.write_string(at, place, value)
    return content.getvalue()
