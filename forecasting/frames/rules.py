"""The rules that renewals are judged by, as the engine takes them."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import Min, QuerySet

from accounts.models import AttributeDefinition
from forecasting.engine.arrays import NO_ID, Floats, Integers
from forecasting.engine.factors import FACTOR_KEYS
from forecasting.engine.fitted import Model
from forecasting.engine.likelihood import RateTable, fit_rates
from forecasting.engine.probability import RepRecords
from forecasting.engine.survivors import Survivors
from forecasting.engine.timing import PolicyScope, PolicyTable
from forecasting.frames.likelihood_columns import NO_INPUTS, Inputs
from forecasting.frames.outlook import Outlook
from forecasting.frames.past import rows_at
from forecasting.models import LikelihoodModel, Run
from renewals.models import RiskFactor, RiskWeightVersion, Stage, TimingPolicyVersion

log = logging.getLogger(__name__)
EPOCH: Final = dt.date(1970, 1, 1)
# Which signals a built-in factor lives on: older than the factor's stale_days, they count as missing.
SIGNALS_OF_FACTOR: Final = {
    "usage_trend": ("usage_change_rate",),
    "severe_tickets": ("severe_ticket_count", "reopened_ticket_rate"),
    "satisfaction": ("csat_score", "nps_score"),
    "payment_behaviour": ("late_payment_days", "failed_payment_count", "chargeback_count"),
    "champion_left": ("has_champion_left",),
    "size_change": ("seat_change_rate",),
}
CATEGORIES: Final = tuple(Stage.ForecastCategory.values)
NO_SURVIVORS: Final = Survivors.without_history()


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01, as the engine counts them."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class CustomFactor:
    """A custom attribute that counts as risk."""

    position: int
    key: str
    kind: str
    is_of_account: bool
    low: float
    high: float
    category_risks: dict[str, float]


@dataclass(frozen=True, eq=False)
class Rules:
    """Everything but the renewals themselves.

    weights is float64[s + 1, k]: a row per segment that has its own, the last one for all others.
    """

    policies: PolicyTable
    weights: Floats
    weighted_segment_ids: Integers
    stale_days: dict[str, int]  # by signal; a signal without one never goes stale
    custom_factors: tuple[CustomFactor, ...]
    stage_ids: Integers
    stage_progress: Floats
    stage_categories: Integers  # index into CATEGORIES
    rates: RateTable
    records: RepRecords
    # What is read for the fitted likelihood, and it itself; None while there is none: then `rates` alone.
    inputs: Inputs = NO_INPUTS
    likelihood: Model | None = None
    likelihood_version: int | None = None
    survivors: Survivors = NO_SURVIVORS  # learned with the likelihood: what being open still says beside it
    outlook: Outlook = field(default_factory=lambda: Outlook.of_run(None))

    @property
    def factor_count(self) -> int:
        return int(self.weights.shape[1])

    def weight_rows(self, segment_ids: Integers) -> Integers:
        return _place(self.weighted_segment_ids, segment_ids)

    def stages_at(self, stage_ids: Integers) -> Integers:
        """Position of each stage in stage_progress and stage_categories."""
        return np.searchsorted(self.stage_ids, stage_ids)


def load_rules(run: Run | None, moment: dt.datetime | None = None) -> Rules:
    """The rules in force, with the likelihood table and the reps' records of `run`; None: those without history.

    With `moment`, the rules that were in force then; the run is the caller's to choose.
    """
    table, calls = (run.likelihood_table, run.rep_records) if run else (None, None)
    rates = RateTable.from_dict(table) if table else _rates_without_history()
    records = RepRecords.from_dict(calls) if calls else RepRecords.empty()
    inputs, model, survivors = load_likelihood(run.likelihood_model_id if run else None)
    factors = rows_at(RiskFactor.objects.select_related("attribute"), moment)
    segment_ids, weights = _load_weights(factors, moment)
    stage_ids, progress, categories = _load_stages(moment)
    return Rules(
        policies=policy_table(policy_entries(moment)),
        weights=weights,
        weighted_segment_ids=segment_ids,
        stale_days={
            signal: factor.stale_days
            for factor in factors
            if factor.stale_days is not None
            for signal in SIGNALS_OF_FACTOR.get(factor.key, ())
        },
        custom_factors=tuple(_custom_factor(factor) for factor in factors if factor.attribute is not None),
        stage_ids=stage_ids,
        stage_progress=progress,
        stage_categories=categories,
        rates=rates,
        records=records,
        inputs=inputs,
        likelihood=model,
        likelihood_version=run.likelihood_model_id if run else None,
        survivors=survivors,
        outlook=Outlook.of_run(run),
    )


FittedLikelihood = tuple[Inputs, Model | None, Survivors]
NOT_FITTED: Final[FittedLikelihood] = (NO_INPUTS, None, NO_SURVIVORS)
# By database and version: those that this process last asked, for reading one of boosted trees takes a while.
_fitted: dict[tuple[str, int], FittedLikelihood] = {}
FITTED_KEPT: Final = 4


def load_likelihood(version: int | None) -> FittedLikelihood:
    """A fitted likelihood (LikelihoodModel.content) and what it asks of each renewal; none is asked of for None."""
    if version is None:
        return NOT_FITTED
    key = (str(connection.settings_dict["NAME"]), version)
    if key not in _fitted:
        content = LikelihoodModel.objects.values_list("content", flat=True).get(pk=version)
        assert content is not None  # likelihood_fitted_is_whole
        while len(_fitted) >= FITTED_KEPT:
            _fitted.pop(next(iter(_fitted)))
        _fitted[key] = _read_likelihood(version, content)
    return _fitted[key]


def _read_likelihood(version: int, content: Mapping[str, Any]) -> FittedLikelihood:
    """One of another release that this one cannot read is none: scores go by the rates, until the next fit."""
    try:
        survivors = Survivors.from_dict(content["survivors"])
        return Inputs.from_dict(content["inputs"]), Model.from_dict(content["model"]), survivors
    except (KeyError, TypeError, ValueError) as problem:
        log.warning("Version %s of the likelihood cannot be read: %r. It has to be fitted again.", version, problem)
        return NOT_FITTED


def _since_first(moment: dt.datetime | None, defaults: QuerySet[Any]) -> dt.datetime | None:
    """The moment, or when the first default was recorded, where that is later: it stands for what was before."""
    if moment is None:
        return None
    first: dt.datetime | None = defaults.aggregate(at=Min("created_at"))["at"]
    return moment if first is None else max(moment, first)


# What changes whenever a rule does. The newest ids stand beside the version, so that a rule that was written past
# `bump_rules_version` (by a migration, by hand) is seen as well.
MARK: Final = (
    "(SELECT rules_version FROM accounts_company)",
    "(SELECT max(id) FROM forecasting_run WHERE state = 'published')",
    "(SELECT max(id) FROM renewals_timingpolicyversion)",
    "(SELECT max(id) FROM renewals_riskweightversion)",
    "(SELECT max(id) FROM renewals_riskfactor)",
    "(SELECT max(id) FROM renewals_stage)",
)
Mark = tuple[int | None, ...]

# By database: what marked the rules when they were read, and the rules.
_current: dict[str, tuple[Mark, Rules]] = {}


def current_rules() -> Rules:
    """The rules in force with the fit of the last published run: cached in the process, checked by one query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(MARK)}")
        return rules_at(cursor.fetchone())


def rules_at(mark: Mark) -> Rules:
    """The rules of which MARK was just read: those that the process knows, unless they had another."""
    database = connection.settings_dict["NAME"]
    known, rules = _current.get(database, (None, None))
    if rules is None or known != mark:
        rules = load_rules(Run.objects.filter(pk=mark[1]).first() if mark[1] else None)
        _current[database] = mark, rules
    return rules


def known_rules() -> tuple[Mark, Rules]:
    """The rules as this process last read them, and their mark: not to be trusted before MARK was read anew."""
    database = connection.settings_dict["NAME"]
    if database not in _current:
        current_rules()
    return _current[database]


PolicyEntry = tuple[int | None, int | None, int | None, int, int, int, int, bool]


def policy_entries(moment: dt.datetime | None = None) -> list[PolicyEntry]:
    """(account, segment, industry, effective from, early, grace, late, is in business days) of each version."""
    versions = TimingPolicyVersion.objects.select_related("policy")
    is_default = {"policy__account": None, "policy__segment": None, "policy__industry": None}
    moment = _since_first(moment, versions.filter(**is_default))
    return [
        (
            version.policy.account_id,
            version.policy.segment_id,
            version.policy.industry_id,
            day_number(version.effective_from),
            version.early_days,
            version.grace_days,
            version.late_days,
            version.day_kind == TimingPolicyVersion.DayKind.BUSINESS,
        )
        for version in rows_at(versions, moment)
    ]


def policy_table(entries: list[PolicyEntry]) -> PolicyTable:
    columns = list(zip(*entries, strict=True))

    def ids(position: int) -> Integers:
        return np.array([NO_ID if value is None else value for value in columns[position]], dtype=np.int64)

    return PolicyTable(
        scope=np.array([_scope(*entry[:3]) for entry in entries]),
        account_ids=ids(0),
        segment_ids=ids(1),
        industry_ids=ids(2),
        effective_from=np.array(columns[3]),
        early_days=np.array(columns[4]),
        grace_days=np.array(columns[5]),
        late_days=np.array(columns[6]),
        is_business=np.array(columns[7]),
    )


def _scope(account_id: int | None, segment_id: int | None, industry_id: int | None) -> PolicyScope:
    if account_id is not None:
        return PolicyScope.ACCOUNT
    if segment_id is not None:
        return PolicyScope.SEGMENT if industry_id is None else PolicyScope.SEGMENT_INDUSTRY
    return PolicyScope.DEFAULT if industry_id is None else PolicyScope.INDUSTRY


def _load_weights(factors: list[RiskFactor], moment: dt.datetime | None) -> tuple[Integers, Floats]:
    """(segment ids with their own weights, weights by these and, last, for all other segments); newest versions."""
    positions = {factor.key: factor.position for factor in factors}
    width = max([len(FACTOR_KEYS) - 1, *positions.values()]) + 1
    newest: dict[int | None, dict[str, float]] = {}
    versions = RiskWeightVersion.objects.order_by("created_at", "pk")
    moment = _since_first(moment, versions.filter(segment=None))
    for version in versions if moment is None else versions.filter(created_at__lte=moment):
        newest[version.segment_id] = version.weights
    # A version without weights hands a segment back to those of the others.
    own = sorted(segment for segment, weights in newest.items() if segment is not None and weights)
    segment_ids = np.array(own, dtype=np.int64)
    weights = np.zeros((segment_ids.size + 1, width))
    for row, segment in enumerate([*segment_ids.tolist(), None]):
        for key, weight in newest.get(segment, {}).items():
            if key in positions:
                weights[row, positions[key]] = weight
    return segment_ids, weights


def _load_stages(moment: dt.datetime | None) -> tuple[Integers, Floats, Integers]:
    """Ids in order, how far each stage has come (0 to 1 along those that lead to a yes) and its category."""
    stages = sorted(rows_at(Stage.objects.all(), moment), key=lambda stage: stage.position)
    leading = [stage for stage in stages if stage.forecast_category != Stage.ForecastCategory.OMITTED]
    rank = {stage.pk: place / max(len(leading) - 1, 1) for place, stage in enumerate(leading)}
    by_id = sorted(stages, key=lambda stage: stage.pk)
    return (
        np.array([stage.pk for stage in by_id], dtype=np.int64),
        np.array([rank.get(stage.pk, 0.0) for stage in by_id]),
        np.array([CATEGORIES.index(stage.forecast_category) for stage in by_id], dtype=np.int8),
    )


def _custom_factor(factor: RiskFactor) -> CustomFactor:
    attribute = factor.attribute
    assert attribute is not None
    return CustomFactor(
        position=factor.position,
        key=attribute.key,
        kind=attribute.kind,
        is_of_account=attribute.holder == AttributeDefinition.Holder.ACCOUNT,
        low=0.0 if factor.low_value is None else factor.low_value,
        high=1.0 if factor.high_value is None else factor.high_value,
        category_risks={str(category): float(risk) for category, risk in factor.category_risks.items()},
    )


def _rates_without_history() -> RateTable:
    none = np.empty(0, dtype=np.int64)
    return fit_rates(
        segment_ids=none,
        band=none,
        timing=none,
        due=none,
        lost_on=none,
        early_days=0,
        grace_days=0,
        late_days=0,
        cut_off=0,
    )


def _place(known: Integers, values: Integers) -> Integers:
    """Position of each value among the sorted known ones; past their end where it is not one of them."""
    if known.size == 0:
        return np.zeros(values.shape, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, values), known.size - 1)
    return np.where(known[place] == values, place, known.size)
