"""What each figure is made of: sums of cells above, and below a line where it is a rate.

Pages compute a figure and the explanation page takes it apart by the same entry. Source: docs/domain.md section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from accounts.models import Company
from dashboards.tiles import Kind, Number

Attribution = Company.Attribution
CREDITED: Final = {Attribution.DUE_PERIOD: "", Attribution.ORDER_PERIOD: "ordered_", Attribution.HYBRID: "hybrid_"}
COUNTED_AS: Final = {
    Attribution.DUE_PERIOD: "by due period",
    Attribution.ORDER_PERIOD: "by order period",
    Attribution.HYBRID: "by hybrid attribution",
}


@dataclass(frozen=True)
class Term:
    """A sum of cells, such as `{credited}kept_cents`: an attribution's prefix; `grain` is month or quarter."""

    measure: str
    name: str

    def column(self, attribution: str, grain: str) -> str:
        credited = CREDITED[Attribution(attribution)]
        accounts = credited or "renewed_"
        return _plain(self.measure.format(credited=credited, accounts=accounts, grain=grain))


def _plain(column: str) -> str:
    """By due period, what counts is named for the cohort: renewed, in time."""
    return {"count": "renewed_count", "in_time_cents": "kept_in_time_cents"}.get(column, column)


@dataclass(frozen=True)
class Figure:
    """`formula` in words; `top` over `bottom`, or `top` alone; a term with a minus is taken off."""

    key: str
    title: str
    formula: str
    kind: Kind
    top: tuple[Term, ...]
    bottom: tuple[Term, ...] = ()
    minus: tuple[Term, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        return (*self.top, *self.minus, *self.bottom)

    def value(self, sums: Mapping[str, int], attribution: str, grain: str) -> Number:
        """A Decimal for rates and money, a whole number for counts; None where there is nothing to divide by."""
        total = sum(sums[term.column(attribution, grain)] for term in self.top)
        total -= sum(sums[term.column(attribution, grain)] for term in self.minus)
        if self.bottom:
            whole = sum(sums[term.column(attribution, grain)] for term in self.bottom)
            return Decimal(total) / whole if whole else None
        return Decimal(total) / 100 if self.kind == Kind.MONEY else total


DUE = Term("due_cents", "Due (baseline, ATR)")
KEPT = Term("{credited}kept_cents", "Kept, min(R, B) of renewed")
RENEWED = Term("{credited}renewed_cents", "Renewed, R")
COHORT_KEPT = Term("kept_cents", "Kept of the cohort, at any order date")
COHORT_RENEWED = Term("renewed_cents", "Renewed of the cohort, R")
RENEWED_BASELINE = Term("renewed_baseline_cents", "Baseline of renewed")
LOST = Term("lost_cents", "Baseline of lost, lapsed and won back")
ATTRIBUTED = "Early and late orders count as the attribution says."


def _money(key: str, title: str, formula: str, *top: Term) -> Figure:
    return Figure(key, title, formula, Kind.MONEY, top)


def _count(key: str, title: str, formula: str, *top: Term) -> Figure:
    return Figure(key, title, formula, Kind.COUNT, top)


def _rate(key: str, title: str, formula: str, top: tuple[Term, ...], bottom: tuple[Term, ...]) -> Figure:
    return Figure(key, title, formula, Kind.RATE, top, bottom)


FIGURES: Final = {
    figure.key: figure
    for figure in (
        _money("due", "Due", "Sum of the baselines of all that is due in the period, less approved exceptions.", DUE),
        _money("kept", "Kept", f"Sum of min(R, B) of what was renewed. {ATTRIBUTED}", KEPT),
        _money("renewed", "Renewed", f"Sum of the new recurring value R of what was renewed. {ATTRIBUTED}", RENEWED),
        _rate("gross", "Gross renewal rate", f"Kept, sum of min(R, B), over due. {ATTRIBUTED}", (KEPT,), (DUE,)),
        _rate("net", "Net renewal rate", f"Renewed, sum of R, over due. {ATTRIBUTED}", (RENEWED,), (DUE,)),
        _rate(
            "logo",
            "Logo renewal rate",
            f"Accounts with a renewal renewed over accounts with one due, each once a period. {ATTRIBUTED}",
            (Term("{accounts}{grain}_accounts", "Accounts that renewed"),),
            (Term("{grain}_accounts", "Accounts with something due"),),
        ),
        _rate(
            "in_period",
            "In-period rate",
            "Kept of the cohort with an order by the last day of the period, over due: frozen once that day is over.",
            (Term("in_{grain}_cents", "Kept, ordered by the last day of the period"),),
            (DUE,),
        ),
        _rate(
            "final",
            "Final rate",
            "Kept of the cohort at any order date, over due: moves until the last trailing order is in.",
            (COHORT_KEPT,),
            (DUE,),
        ),
        _rate(
            "on_time",
            "On-time rate",
            f"Kept of early and on-time orders, over due. {ATTRIBUTED}",
            (Term("{credited}in_time_cents", "Kept, early and on time"),),
            (DUE,),
        ),
        _rate(
            "resolution",
            "Resolution",
            "Decided baseline (renewed and lost) over due.",
            (RENEWED_BASELINE, LOST),
            (DUE,),
        ),
        _rate(
            "close",
            "Close",
            "Baseline of what was renewed over decided baseline.",
            (RENEWED_BASELINE,),
            (RENEWED_BASELINE, LOST),
        ),
        _rate(
            "conversion",
            "Conversion",
            "Renewed value over the baseline of what was renewed.",
            (COHORT_RENEWED,),
            (RENEWED_BASELINE,),
        ),
        _rate(
            "cohort_net",
            "Net rate of the cohort",
            "Renewed of the cohort, at any order date, over due.",
            (COHORT_RENEWED,),
            (DUE,),
        ),
        _money(
            "final_kept",
            "Kept of the cohort",
            "Sum of min(R, B) of what was renewed of the cohort, whenever it was ordered.",
            COHORT_KEPT,
        ),
        _money(
            "cohort_renewed",
            "Renewed of the cohort",
            "Sum of R of what was renewed of the cohort, whenever it was ordered.",
            COHORT_RENEWED,
        ),
        _money("lost", "Lost", "Baseline of what was declined, has lapsed, or lapsed and was won back.", LOST),
        _money(
            "lapsed",
            "Lapsed",
            "Baseline of what is open for longer than the tolerance allows: lost until revived.",
            Term("lapsed_cents", "Baseline of lapsed"),
        ),
        _money(
            "upsell",
            "Upsell",
            "What was renewed above the baseline on the same product, of the cohort.",
            Term("upsell_cents", "Upsell"),
        ),
        _money(
            "cross_sell",
            "Cross-sell",
            "What was renewed on products that were not in the contract, of the cohort.",
            Term("cross_sell_cents", "Cross-sell"),
        ),
        _money(
            "booked_above",
            "Upsell and cross-sell",
            "What was renewed above the baseline, on the same product and on others, of the cohort.",
            Term("upsell_cents", "Upsell"),
            Term("cross_sell_cents", "Cross-sell"),
        ),
        _money(
            "downsell",
            "Downsell",
            "Baseline given up by what was renewed, of the cohort.",
            Term("downsell_cents", "Downsell"),
        ),
        _money("open", "Open", "Baseline of what is open and not past due.", Term("open_cents", "Baseline of open")),
        _money(
            "past_due",
            "Open past due",
            "Baseline of what is open after its due day, within tolerance: neither renewed nor lost.",
            Term("past_due_cents", "Baseline of past due"),
        ),
        _money(
            "win_back",
            "Won back",
            "New recurring value R of what had lapsed and was won back; no renewal.",
            Term("win_back_cents", "Won back, R"),
        ),
        *(
            _money(
                f"{name}_value",
                title,
                f"New recurring value R of what was ordered {when}, of the cohort.",
                Term(f"{name}_cents", f"{title}, R"),
            )
            for name, title, when in (
                ("early", "Early", "well in advance"),
                ("on_time", "On time", "on time"),
                ("late", "Late", "late, within tolerance"),
            )
        ),
        *(
            _count(f"{name}_count", title, formula, Term(f"{name}_count", title))
            for name, title, formula in (
                ("due", "Renewals due", "How many renewals are due in the period, less approved exceptions."),
                ("early", "Early", "How many of the cohort were ordered well in advance."),
                ("on_time", "On time", "How many of the cohort were ordered on time."),
                ("late", "Late", "How many of the cohort were ordered late, within tolerance."),
                ("win_back", "Won back", "How many of the cohort had lapsed and were won back."),
                ("lost", "Lost", "How many of the cohort were declined, have lapsed, or lapsed and were won back."),
                ("open", "Open", "How many of the cohort are open and not past due."),
                ("past_due", "Open past due", "How many of the cohort are open after their due day, within tolerance."),
            )
        ),
        _money(
            "before",
            "Ordered before the period",
            "Kept of the cohort, ordered before the period began.",
            Term("before_{grain}_cents", "Kept, ordered before"),
        ),
        Figure(
            "after",
            "Ordered after the period",
            "Kept of the cohort, ordered after the period was over.",
            Kind.MONEY,
            (COHORT_KEPT,),
            (),
            (Term("in_{grain}_cents", "Kept, ordered by the last day of the period"),),
        ),
        _money(
            "ordered_overdue",
            "Late orders of earlier periods",
            "Kept of what was ordered in the period and was due before it.",
            Term("ordered_overdue_{grain}_cents", "Kept, due before the period"),
        ),
        _money(
            "ordered_ahead",
            "Early orders of later periods",
            "Kept of what was ordered in the period and is due after it.",
            Term("ordered_ahead_{grain}_cents", "Kept, due after the period"),
        ),
    )
}
