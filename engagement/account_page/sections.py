"""The parts of the account page that stand still: what is coming, what was, contracts and what it is all worth."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from accounts.exchange import read_rates
from accounts.models import Account, User
from accounts.strip import Total
from accounts.templatetags.money import compact_money
from renewals.models import Contract, Renewal, RenewalScore, RiskBand
from renewals.table.columns import DATE, RISK_TONES, TIMING_NAMES

RENEWALS_SHOWN = 25
CONTRACTS_SHOWN = 25
CENT = Decimal("0.01")


@dataclass(frozen=True)
class RenewalRow:
    renewal: Renewal
    timing: str  # code of its timing class; blank where it is not scored
    risk: tuple[int, str] | None  # whole points, and the tone of their band

    @property
    def score(self) -> RenewalScore | None:
        return getattr(self.renewal, "score", None)


@dataclass(frozen=True)
class Renewals:
    coming: list[RenewalRow]
    past: list[RenewalRow]
    coming_count: int
    past_count: int


def read_renewals(account: Account, user: User) -> Renewals:
    """Those that the user sees: the open ones by due date, the decided ones newest first. Three queries."""
    mine = Renewal.objects.visible_to(user).filter(account=account).order_by()
    joined = mine.select_related("contract", "owner", "stage", "score", "churn_reason")
    is_open = Q(outcome=Renewal.Outcome.OPEN)
    counts = mine.aggregate(coming=Count("pk", filter=is_open), past=Count("pk", filter=~is_open))
    return Renewals(
        coming=[_row(row) for row in joined.filter(is_open).order_by("due_on", "pk")[:RENEWALS_SHOWN]],
        past=[_row(row) for row in joined.exclude(is_open).order_by("-due_on", "-pk")[:RENEWALS_SHOWN]],
        coming_count=counts["coming"],
        past_count=counts["past"],
    )


def _row(renewal: Renewal) -> RenewalRow:
    score: RenewalScore | None = getattr(renewal, "score", None)
    risk = None
    if score is not None and score.risk_score is not None:
        risk = round(score.risk_score), RISK_TONES[RiskBand.of(score.risk_score)]
    return RenewalRow(renewal, TIMING_NAMES[score.timing_class] if score else "", risk)


def read_contracts(account: Account, user: User) -> list[Contract]:
    """The newest first; one more than is shown tells that there are more."""
    visible = Contract.objects.visible_to(user).filter(account=account)
    return list(visible.order_by("-ends_on", "number")[: CONTRACTS_SHOWN + 1])


def read_totals(
    account: Account, user: User, *, as_of: dt.date, reporting_currency: str, next_touch_on: dt.date | None
) -> list[Total]:
    """Six totals in the reporting currency, of the renewals that the user sees. Three queries."""
    mine = Renewal.objects.visible_to(user).filter(account=account).order_by()
    sums = mine.values("outcome", "currency").annotate(
        baseline=Sum("baseline_amount"), final=Sum("final_amount"), row_count=Count("pk")
    )
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    counts: defaultdict[str, int] = defaultdict(int)
    left_out = 0
    for one in sums:
        counts[one["outcome"]] += one["row_count"]
        rate = rates.get(one["currency"])
        if rate is None:
            left_out += one["row_count"]
            continue
        amounts[one["outcome"]] += (one["baseline"] * rate).quantize(CENT)
        amounts[f"{one['outcome']} final"] += ((one["final"] or 0) * rate).quantize(CENT)
    without = f"; {left_out} in a currency without a rate" if left_out else ""
    riskiest = mine.filter(outcome=Renewal.Outcome.OPEN, score__risk_score__isnull=False).order_by("-score__risk_score")
    risk = riskiest.values_list("score__risk_score", flat=True).first()
    decided = counts["renewed"] + counts["lost"]

    def money(name: str) -> str:
        return compact_money(amounts[name], reporting_currency)

    return [
        Total("Open to renew", money("open"), _counted(counts["open"], "renewal"), f"Baseline{without}"),
        Total(
            "Renewed so far", money("renewed final"), _counted(counts["renewed"], "renewal"), f"Final amounts{without}"
        ),
        Total("Lost so far", money("lost"), _counted(counts["lost"], "renewal"), f"Baseline{without}"),
        Total("Kept", f"{counts['renewed']} of {decided}" if decided else "–", "renewals decided"),
        Total(
            "Highest risk", "–" if risk is None else f"{risk:.0f}", RiskBand.of(risk).label if risk is not None else ""
        ),
        Total("Last touch", _day(account.last_touch_on), f"next {_day(next_touch_on)}" if next_touch_on else ""),
    ]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _day(day: dt.date | None) -> str:
    return f"{day:{DATE}}" if day else "never"


def shown_of(rows: Sequence[Contract]) -> tuple[Sequence[Contract], bool]:
    return rows[:CONTRACTS_SHOWN], len(rows) > CONTRACTS_SHOWN
