"""The movements of a book once more, slowly: plain Python over its rows, a day and a line at a time, from the words of
`forecasting.mrr`. It shares no code with what it checks."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from renewals.models import Contract, Renewal

DAY = dt.timedelta(days=1)
FAR = dt.date(9000, 1, 1)
OPEN, WON = {"UPCOMING", "IN_WINDOW", "OVERDUE"}, {"EARLY", "ON_TIME", "LATE", "WIN_BACK"}

Scope = tuple[int | None, int | None]  # owner and segment
Key = tuple[Scope, dt.date, str, str]  # scope, first of the month, state, kind


@dataclass
class Line:
    account: int
    scope: Scope
    pieces: list[tuple[dt.date, dt.date, int]] = field(default_factory=list)  # from, to (not included), cents
    crossed: list[tuple[dt.date, int]] = field(default_factory=list)

    def level(self, day: dt.date) -> int:
        return sum(cents for since, until, cents in self.pieces if since <= day < until)

    def had_by(self, day: dt.date) -> bool:
        return any(since <= day for since, until, cents in self.pieces if cents > 0 and until > since)


class Oracle:
    def __init__(
        self,
        as_of: dt.date,
        rates: dict[str, Decimal],
        first_on: dt.date,
        months_ahead: int,
        assumed_rate: float | None = None,
    ) -> None:
        self.as_of, self.rates, self.first_on = as_of, rates, first_on
        self.given_rate = assumed_rate
        self.months = [first_on]
        while self.months[-1] < add_months(as_of.replace(day=1), months_ahead):
            self.months.append(add_months(self.months[-1], 1))
        self.movements: dict[Key, int] = defaultdict(int)
        self.crossed: dict[tuple[Scope, dt.date, str], int] = defaultdict(int)
        self.open: dict[tuple[Scope, dt.date], int] = defaultdict(int)
        self.lines: dict[tuple[int, str], Line] = {}
        self.undecided: list[tuple[Line, Renewal | None, dt.date, int]] = []
        self._read()
        self._draw()
        self._move()
        self._expect()

    def cents(self, amount: Decimal, currency: str) -> int:
        return int((amount * 100 * self.rates[currency] / 12).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))

    def _read(self) -> None:
        rated = Contract.objects.filter(currency__in=self.rates).select_related("account")
        self.contracts = sorted(rated, key=lambda one: (one.account_id, one.number, one.starts_on))
        self.renewals: dict[int, list[Renewal]] = defaultdict(list)
        for renewal in Renewal.objects.filter(currency__in=self.rates).select_related("score").order_by("due_on"):
            self.renewals[renewal.contract_id].append(renewal)
        self.numbers: dict[tuple[int, str], list[Contract]] = defaultdict(list)
        for contract in self.contracts:
            self.numbers[contract.account_id, contract.number].append(contract)
        for contract in self.contracts:
            key = self.line_key(contract)
            if key not in self.lines:
                rows = [
                    renewal
                    for other in self.contracts
                    if self.line_key(other) == key
                    for renewal in self.renewals[other.pk]
                ]
                newest = max(rows, key=lambda row: (row.due_on, row.pk), default=None)
                owner = newest.owner_id if newest else contract.account.owner_id
                self.lines[key] = Line(contract.account_id, (owner, contract.account.segment_id))

    def line_key(self, contract: Contract) -> tuple[int, str]:
        first = self.numbers[contract.account_id, contract.number][0]
        return contract.account_id, first.product.strip().lower()

    def timing(self, renewal: Renewal) -> str:
        return renewal.score.get_timing_class_display().upper().replace(" ", "_").replace("-", "_")

    def last_day(self, contract: Contract) -> dt.date:
        rows = self.renewals[contract.pk]
        return rows[-1].due_on if rows else contract.ends_on

    def successor(self, contract: Contract) -> Contract | None:
        own = self.numbers[contract.account_id, contract.number]
        if own[-1] is not contract:
            return own[own.index(contract) + 1]
        rows = self.renewals[contract.pk]
        if rows and self.timing(rows[-1]) not in WON:
            return None
        after = self.last_day(contract) + DAY
        firsts = sorted(
            (
                terms[0]
                for (account, _), terms in self.numbers.items()
                if account == contract.account_id
                and terms[0] is not contract
                and terms[0].product.strip().lower() == contract.product.strip().lower()
            ),
            key=lambda one: (one.starts_on, self.contracts.index(one)),
        )
        later = [one for one in firsts if after <= one.starts_on <= after + 92 * DAY]
        earlier = [one for one in firsts if after - 31 * DAY <= one.starts_on < after]
        earlier = [one for one in earlier if one.starts_on > contract.starts_on]
        return later[0] if later else earlier[-1] if earlier else None

    def _draw(self) -> None:
        successors = {contract.pk: self.successor(contract) for contract in self.contracts}
        begins: dict[int, list[dt.date]] = defaultdict(list)
        for contract in self.contracts:
            after, rows = successors[contract.pk], self.renewals[contract.pk]
            if after is not None and rows:
                ordered = rows[-1].ordered_on if self.timing(rows[-1]) == "WIN_BACK" else None
                begins[after.pk].append(max(after.starts_on, ordered) if ordered else after.starts_on)
        self.begins = {one.pk: min(begins[one.pk], default=one.starts_on) for one in self.contracts}
        for contract in self.contracts:
            self._draw_contract(contract, successors[contract.pk])

    def _draw_contract(self, contract: Contract, after: Contract | None) -> None:
        line, rows = self.lines[self.line_key(contract)], self.renewals[contract.pk]
        last = self.last_day(contract)
        cut = self.begins[after.pk] if after else FAR
        amount = self.cents(contract.recurring_amount, contract.currency)
        if len(rows) > 1:
            amount = self.cents(rows[0].baseline_amount, rows[0].currency)
        goes_on_to, undecided = self._goes_on(contract, after, last, cut)
        own_end = min(rows[0].due_on + DAY if rows else goes_on_to, goes_on_to)
        begin = self.begins[contract.pk]
        if contract.ramp_amounts:
            for year, value in enumerate(contract.ramp_amounts):
                since = max(add_years(contract.starts_on, year), begin)
                until = own_end
                if year + 1 < len(contract.ramp_amounts):
                    until = min(add_years(contract.starts_on, year + 1), own_end)
                line.pieces.append((since, until, self.cents(value, contract.currency)))
        else:
            line.pieces.append((begin, own_end, amount))
        now = amount
        for at, row in enumerate(rows):
            timing = self.timing(row)
            since = row.due_on + DAY
            if timing in WON:
                now = self.cents(row.final_amount or Decimal(0), row.currency)
                if timing == "WIN_BACK" and row.ordered_on:
                    since = max(since, row.ordered_on)
            elif timing not in OPEN:
                now = 0
            until = rows[at + 1].due_on + DAY if at + 1 < len(rows) else FAR
            line.pieces.append((since, min(until, goes_on_to), now))
            if timing in WON and row.cross_sell_amount:
                is_last = at + 1 == len(rows)
                day = self.begins[after.pk] if is_last and after else since
                line.crossed.append((day, self.cents(row.cross_sell_amount, row.currency)))
        if undecided is not None:
            is_open = bool(rows) and self.timing(rows[-1]) in OPEN
            self.undecided.append((line, rows[-1] if is_open else None, undecided, now))

    def _goes_on(
        self, contract: Contract, after: Contract | None, last: dt.date, cut: dt.date
    ) -> tuple[dt.date, dt.date | None]:
        """(first day without it, the day from which it is open)."""
        rows = self.renewals[contract.pk]
        if not rows:
            if after:
                return min(cut, contract.ends_on + DAY), None
            return (FAR, last + DAY) if last >= self.as_of else (last + DAY, None)
        timing = self.timing(rows[-1])
        if timing in OPEN:
            return (cut, None) if after else (FAR, last + DAY)
        if timing not in WON:
            return min(cut, last + DAY), None
        if after:
            return cut, None
        if last < contract.ends_on:
            ends = contract.ends_on
        else:
            since = rows[-2].due_on if len(rows) > 1 else contract.starts_on - DAY
            ends = add_months(last, max(round((last - since).days / 30.4375), 1), is_end_kept=True)
        return (FAR, ends + DAY) if ends >= self.as_of else (ends + DAY, None)

    def _move(self) -> None:
        points = {month_end(month): month for month in self.months}
        points.setdefault(self.as_of, self.as_of.replace(day=1))
        start = self.first_on - DAY
        for line in self.lines.values():
            mates = [other for other in self.lines.values() if other.account == line.account]
            before, level = start, line.level(start)
            if level:
                self.movements[line.scope, start.replace(day=1), "ACTUAL", "OPENING"] += level
            for point in sorted(points):
                now = line.level(point)
                if now != level:
                    state = "ACTUAL" if point <= self.as_of else "COMMITTED"
                    kind = self._kind(line, mates, before, level, now)
                    self.movements[line.scope, points[point], state, kind] += abs(now - level)
                    if kind == "EXPANSION":
                        crossed = sum(cents for day, cents in line.crossed if before < day <= point)
                        crossed = now if level == 0 else min(crossed, now - level)
                        self.crossed[line.scope, points[point], state] += crossed
                before, level = point, now

    def _kind(self, line: Line, mates: list[Line], before: dt.date, level: int, now: int) -> str:
        if level == 0:
            if line.had_by(before):
                return "REACTIVATION"
            if sum(mate.level(before) for mate in mates) > 0:
                return "EXPANSION"
            return "REACTIVATION" if any(mate.had_by(before) for mate in mates) else "NEW"
        if now == 0:
            return "CHURN"
        return "EXPANSION" if now > level else "CONTRACTION"

    def _expect(self) -> None:
        known = [(row.score.probability, value) for _, row, _, value in self.undecided if row and value > 0]
        total = sum(value for _, value in known)
        self.assumed_rate = sum(p * value for p, value in known) / total if total else 0.5
        if self.given_rate is not None:
            self.assumed_rate = self.given_rate
        for line, row, day, value in self.undecided:
            month = max(day, self.as_of).replace(day=1)
            if value <= 0 or month > self.months[-1]:
                continue
            p = row.score.probability if row else self.assumed_rate
            kept = value
            if row is not None:
                kept = self.cents(Decimal(row.score.mean_cents) / 100, row.currency)
            rise, fall = max(kept - value, 0), max(value - kept, 0)
            self.open[line.scope, month] += value
            for kind, cents in (
                ("CHURN", round((1 - p) * value)),
                ("CONTRACTION", round(p * fall)),
                ("EXPANSION", round(p * rise)),
            ):
                if cents:
                    self.movements[line.scope, month, "EXPECTED", kind] += cents
            if row is not None:
                crossed = self.cents(Decimal(row.score.mean_cross_sell_cents) / 100, row.currency)
                crossed = min(round(p * min(crossed, rise)), round(p * rise))
                self.crossed[line.scope, month, "EXPECTED"] += crossed


def month_end(month: dt.date) -> dt.date:
    return add_months(month, 1) - DAY


def add_years(day: dt.date, years: int) -> dt.date:
    length = calendar.monthrange(day.year + years, day.month)[1]
    return dt.date(day.year + years, day.month, min(day.day, length))


def add_months(day: dt.date, months: int, *, is_end_kept: bool = False) -> dt.date:
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    length = calendar.monthrange(year, month)[1]
    is_end = is_end_kept and day.day == calendar.monthrange(day.year, day.month)[1]
    return dt.date(year, month, length if is_end else min(day.day, length))
