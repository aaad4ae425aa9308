"""The worklist: renewals that break a rule, the worst and the soonest due first, each with what would mend it."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Func, Q, SmallIntegerField, Sum
from django.http import QueryDict

from accounts.exchange import read_rates
from accounts.models import User, people_visible_to
from accounts.templatetags.money import exact_rate, money
from renewals.access import may_edit
from renewals.models import Renewal, RenewalQuerySet
from renewals.models.quality import DataRule
from renewals.quality.fixes import NoFix, Suggestion, suggest
from renewals.quality.marks import ICONS, SEVERITIES, TONES, Severity
from renewals.services import cell_value

PAGE_SIZE = 50
LAST_PAGE = 10_000
NOBODY = "nobody"


@dataclass
class Work:
    """What the address asks for. `params` holds only what was understood; what was not is in `problems`."""

    rules: dict[int, DataRule]
    params: QueryDict = field(default_factory=lambda: QueryDict(mutable=True))
    problems: list[str] = field(default_factory=list)
    rule_ids: set[int] = field(default_factory=set)  # of the rules that the filters leave
    rule: DataRule | None = None
    owner: User | None = None
    where: Q = field(default_factory=Q)
    page: int = 1

    def url(self, **changes: str | int | None) -> str:
        """The query string with these set, or left out where None; from the first page on unless it is set."""
        params = self.params.copy()
        params.pop("page", None)
        for name, value in changes.items():
            params.pop(name, None)
            if value is not None:
                params[name] = str(value)
        return f"?{params.urlencode()}"

    def apply(self, rows: RenewalQuerySet) -> RenewalQuerySet:
        if self.rule_ids != set(self.rules):
            return rows.filter(self.where, quality__rule_ids__overlap=sorted(self.rule_ids))
        return rows.filter(self.where, quality__worst_severity__gte=Severity.INFO)


def read_work(params: QueryDict, user: User) -> Work:
    work = Work({rule.pk: rule for rule in DataRule.objects.all()})
    work.rule_ids = set(work.rules)
    for name, read in READERS.items():
        value = params.get(name, "").replace("\x00", "").strip()
        if not value:
            continue
        if read(work, value, user):
            work.params[name] = value
        else:
            work.problems.append(f"{name}: there is no “{_shown(value)}”.")
    work.problems += [f"“{_shown(name)}” is not a filter of this page." for name in params if name not in READERS]
    return work


def _read_rule(work: Work, value: str, user: User) -> bool:
    work.rule = work.rules.get(int(value)) if re.fullmatch(r"[0-9]{1,5}", value) else None
    if work.rule is not None:
        work.rule_ids &= {work.rule.pk}
    return work.rule is not None


def _read_severity(work: Work, value: str, user: User) -> bool:
    if value not in SEVERITIES:
        return False
    work.rule_ids &= {pk for pk, rule in work.rules.items() if rule.severity == SEVERITIES[value]}
    return True


def _read_asked(work: Work, value: str, user: User) -> bool:
    if value not in DataRule.Asked.values:
        return False
    work.rule_ids &= {pk for pk, rule in work.rules.items() if rule.asked == value}
    return True


def _read_owner(work: Work, value: str, user: User) -> bool:
    if value == NOBODY:
        work.where &= Q(owner__isnull=True)
        return True
    known = people_visible_to(user)
    pk = str(user.pk) if value == "me" else value
    work.owner = known.filter(pk=int(pk)).first() if re.fullmatch(r"[0-9]{1,18}", pk) else None
    if work.owner is not None:
        work.where &= Q(owner=work.owner)
    return work.owner is not None


def _read_renewal(work: Work, value: str, user: User) -> bool:
    if not re.fullmatch(r"[0-9]{1,18}", value):
        return False
    work.where &= Q(pk=int(value))
    return True


def _read_page(work: Work, value: str, user: User) -> bool:
    if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= LAST_PAGE:
        return False
    work.page = int(value)
    return True


READERS: dict[str, Callable[[Work, str, User], bool]] = {
    "rule": _read_rule,
    "severity": _read_severity,
    "asked": _read_asked,
    "owner": _read_owner,
    "renewal": _read_renewal,
    "page": _read_page,
}


def _shown(text: str) -> str:
    text = "".join(character if character.isprintable() else "�" for character in text)
    return text if len(text) <= 40 else f"{text[:39]}…"


@dataclass(frozen=True)
class Breach:
    """One rule that a row breaks: the facts in a few words, and the fix or why there is none for this reader."""

    rule: DataRule
    detail: str
    suggestion: Suggestion | None
    seen: str = ""
    why_not: str = ""

    @property
    def tone(self) -> str:
        return TONES[Severity(self.rule.severity)]

    @property
    def icon(self) -> str:
        return ICONS[Severity(self.rule.severity)]


@dataclass(frozen=True)
class WorkRow:
    renewal: Renewal
    breaches: list[Breach]


def read_page(work: Work, rows: RenewalQuerySet, user: User, *, as_of: dt.date) -> tuple[list[WorkRow], bool]:
    """The page's rows, and whether there is another page. Two queries however many rows there are."""
    order = ("-quality__worst_severity", "quality__due_on", "quality__renewal_id")
    first = (work.page - 1) * PAGE_SIZE
    ids = list(work.apply(rows).order_by(*order).values_list("pk", flat=True)[first : first + PAGE_SIZE + 1])
    return load_work_rows(ids[:PAGE_SIZE], work.rules, user, as_of=as_of), len(ids) > PAGE_SIZE


def load_work_rows(ids: list[int], rules: dict[int, DataRule], user: User, *, as_of: dt.date) -> list[WorkRow]:
    """The rows in the order of their ids. Whether the user may see them is the caller's question."""
    found = Renewal.objects.select_related(
        "quality", "contract", "stage", "owner", "offer", "churn_reason", "account__owner", "account__segment"
    ).in_bulk(ids)
    return [WorkRow(found[pk], _breaches(found[pk], rules, user, as_of)) for pk in ids if pk in found]


def _breaches(renewal: Renewal, rules: dict[int, DataRule], user: User, as_of: dt.date) -> list[Breach]:
    quality = getattr(renewal, "quality", None)
    broken = [rules[pk] for pk in quality.rule_ids if pk in rules] if quality else []
    is_editable = may_edit(user, renewal)
    return [_breach(rule, renewal, is_editable, as_of) for rule in broken]


def _breach(rule: DataRule, renewal: Renewal, is_editable: bool, as_of: dt.date) -> Breach:
    describe = DETAILS.get(DataRule.Condition(rule.condition))
    detail = describe(renewal, as_of) if describe else ""
    try:
        suggestion = suggest(rule, renewal, as_of=as_of)
    except NoFix as reason:
        return Breach(rule, detail, None, why_not=str(reason) if is_editable and rule.fix else "")
    if not is_editable:
        return Breach(rule, detail, None, why_not=f"{renewal.owner or 'Nobody'} owns it, and mends it.")
    return Breach(rule, detail, suggestion, seen=cell_value(renewal, suggestion.field))


def _date(day: dt.date | None) -> str:
    return f"{day:%d %b %Y}" if day else "–"


def _impossible(renewal: Renewal, as_of: dt.date) -> str:
    contract = renewal.contract
    days = {"expected": renewal.expected_order_on, "ordered": renewal.ordered_on, "declined": renewal.declined_on}
    others = "".join(f", {name} {_date(day)}" for name, day in days.items() if day)
    return f"Contract {_date(contract.starts_on)} to {_date(contract.ends_on)}, due {_date(renewal.due_on)}{others}"


def _missing(renewal: Renewal, as_of: dt.date) -> str:
    return "Start of the contract is assumed" if renewal.contract.is_term_assumed else "Day of the decision"


def _above_cap(renewal: Renewal, as_of: dt.date) -> str:
    cap = renewal.contract.uplift_cap_rate
    amounts = (renewal.forecast_amount, renewal.cross_sell_amount, renewal.baseline_amount)
    forecast, cross_sell, baseline = (money(amount, renewal.currency) for amount in amounts)
    beside = f" ({cross_sell} of it cross-sold, which is not bound)" if renewal.cross_sell_amount else ""
    return f"{forecast}{beside} on {baseline}, where {exact_rate(cap)} is agreed"


DETAILS: dict[DataRule.Condition, Callable[[Renewal, dt.date], str]] = {
    DataRule.Condition.IMPOSSIBLE_DATES: _impossible,
    DataRule.Condition.MISSING_DATES: _missing,
    DataRule.Condition.OPEN_PAST_DUE: lambda row, as_of: f"{(as_of - row.due_on).days:,} days past due",
    DataRule.Condition.CONFIDENCE_AGAINST_STAGE: lambda row, as_of: (
        f"{row.confidence}% in {row.stage}, where {row.stage.default_confidence}% is usual"
    ),
    DataRule.Condition.NO_ACTIVE_OWNER: lambda row, as_of: f"{row.owner} has left" if row.owner else "Nobody owns it",
    DataRule.Condition.FORECAST_ABOVE_CAP: _above_cap,
    DataRule.Condition.STALE_NEXT_STEP: lambda row, as_of: f"{row.next_step or 'A step'} · {_date(row.next_step_on)}",
    DataRule.Condition.CURRENCY_WITHOUT_RATE: lambda row, as_of: row.currency or "No currency",
}


@dataclass
class RuleCount:
    """How many renewals break a rule, and their baseline in the reporting currency."""

    rule: DataRule
    row_count: int = 0
    amount: Decimal = Decimal(0)

    @property
    def tone(self) -> str:
        return TONES[Severity(self.rule.severity)]

    @property
    def icon(self) -> str:
        return ICONS[Severity(self.rule.severity)]


def count_by_rule(
    rows: RenewalQuerySet, rules: Iterable[DataRule], *, as_of: dt.date, reporting_currency: str
) -> list[RuleCount]:
    """Of each rule how many of these rows break it, in one query. What has no rate is in the count, in no amount."""
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    counts: dict[int, RuleCount] = {rule.pk: RuleCount(rule) for rule in rules}
    broken: Any = Func(F("quality__rule_ids"), function="unnest", output_field=SmallIntegerField())
    sums: Iterable[Any] = (
        rows.filter(quality__worst_severity__gte=Severity.INFO)
        .order_by()
        .values(rule_id=broken, code=F("currency"))
        .annotate(row_count=Count("pk"), baseline=Sum("baseline_amount"))
    )
    amounts: defaultdict[int, Decimal] = defaultdict(Decimal)
    for record in sums:
        if record["rule_id"] in counts:
            counts[record["rule_id"]].row_count += record["row_count"]
            amounts[record["rule_id"]] += record["baseline"] * rates.get(record["code"], Decimal(0))
    for pk, amount in amounts.items():
        counts[pk].amount = amount.quantize(Decimal("0.01"))
    return list(counts.values())
