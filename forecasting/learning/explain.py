"""Why an open renewal has its likelihood: contributions that add up, in words, and what would move it most."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
from django.db import connection

from accounts.models import AttributeDefinition, get_company
from forecasting.engine import fitted, likelihood
from forecasting.engine.fitted import Categories, Model, Numbers, Rows
from forecasting.engine.fitted.advice import best_changes
from forecasting.engine.likelihood import apply_rates
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.risk import risk_band
from forecasting.frames import Book, Rules, day_number, judge, open_rows, open_steps
from forecasting.frames.few import read_few
from forecasting.frames.likelihood_columns import CUSTOM, WORKED
from forecasting.frames.scoring import Judged
from forecasting.learning.words import CHANGEABLE, LABELS, label_of, open_words, said_of, state_of
from renewals.models import Renewal
from renewals.scoring import LikelihoodChange, LikelihoodExplanation, LikelihoodPart

CHANGES: Final = 3
# Log-odds that rounding may leave, and no part has to account for.
NOTHING: Final = 1e-9


def explain_likelihood(*, renewal_id: int, as_of: dt.date) -> LikelihoodExplanation | None:
    """As an edit would score the row now; None where it is not open."""
    with connection.cursor() as cursor:
        rules, book, _ = read_few(cursor, [renewal_id])
    judged = judge(book, rules, day_number(as_of))
    places = np.flatnonzero((book.renewals["id"] == renewal_id) & (judged.timing < likelihood.STATE_COUNT))
    if not places.size:
        return None
    if rules.likelihood is None:
        return _by_rates(book, rules, judged, int(places[0]))
    return _Explainer(renewal_id, rules.likelihood, book, rules, judged, int(places[0])).explanation()


def _by_rates(book: Book, rules: Rules, judged: Judged, place: int) -> LikelihoodExplanation:
    at = np.array([place])
    band = risk_band(judged.risk.score[at])
    rate, count = apply_rates(rules.rates, book.renewals["segment_id"][at], judged.timing[at], band)
    p, log_odds = float(rate[0]), float(logit(rate)[0])
    why = "No likelihood is fitted yet"
    if rules.likelihood_version is not None:
        why = f"Version {rules.likelihood_version} was fitted by another release and has to be fitted again"
    words = (
        f"{why}, and nothing is decided: a stated prior is used."
        if rules.rates.is_prior
        else f"{why}. The rate of its segment, timing and risk band is used, drawn to the wider ones; "
        f"{int(count[0]):,} decided renewals are behind it."
    )
    return LikelihoodExplanation(None, words, p, p, log_odds, log_odds, (), ())


class _Explainer:
    """One renewal, the model, and the names by which people know what both speak of."""

    def __init__(self, renewal_id: int, model: Model, book: Book, rules: Rules, judged: Judged, place: int) -> None:
        self.model, self.rules = model, rules
        at = np.array([place])
        self.rows = open_rows(book, rules, judged, at)
        self.step = float(open_steps(book, rules, judged, at)[0])
        self.level = float(rules.outlook.shock.level_of(book.renewals["due"][at])[0])
        self.days_left = int(book.renewals["due"][place] - judged.known_until[place])
        self.currency = get_company().reporting_currency
        self.attributes = {one.key: one for one in AttributeDefinition.objects.all()} if rules.inputs.attributes else {}
        names = Renewal.objects.values("account__segment__name", "account__industry__name").get(pk=renewal_id)
        self.names = {"segment": names["account__segment__name"], "industry": names["account__industry__name"]}

    def explanation(self) -> LikelihoodExplanation:
        found = self.model.explain(self.rows)
        terms = {name: float(values[0]) for name, values in found.contributions.items()}
        if self.step:
            terms["state"] = self.step
        if self.level:
            terms["quarter"] = self.level
        reached = found.base + sum(terms.values())
        p = float(np.clip(expit(reached), likelihood.LOWEST, likelihood.HIGHEST))
        log_odds = float(logit(p))
        if abs(log_odds - reached) > NOTHING:
            terms["limit"] = log_odds - reached
        parts = [self._part(name, term, log_odds) for name, term in terms.items()]
        return LikelihoodExplanation(
            version=self.rules.likelihood_version,
            words=f"{self.model.words[:1].upper()}{self.model.words[1:]}, learned from {self.model.row_count:,}"
            " decided renewals.",
            likelihood=p,
            base_likelihood=float(expit(found.base)),
            base_log_odds=found.base,
            log_odds=log_odds,
            parts=sorted(parts, key=lambda part: -abs(part.log_odds)),
            changes=self._changes(log_odds),
        )

    def _part(self, name: str, term: float, log_odds: float) -> LikelihoodPart:
        points = 100 * float(expit(log_odds) - expit(log_odds - term))
        return LikelihoodPart(self._label(name), f"{self._known(name)} {said_of(points)}.", term, points)

    def _label(self, name: str) -> str:
        return label_of(name, self.attributes)

    def _known(self, name: str) -> str:
        if name == "state":
            return open_words(self.days_left)
        if name == "quarter":
            return "What is decided of the quarter it is due in"
        if name == "limit":
            return f"That nothing is surer than {likelihood.HIGHEST:.1%} or less sure than {likelihood.LOWEST:.1%}"
        if name == "score":
            value = float(self.rows.scores[0])
            return state_of(name, None if np.isnan(value) else value, LABELS[name], self.currency)
        return self._said(name, self._value(name))

    def _value(self, name: str) -> float | str | None:
        column = self.rows.columns.get(name)
        if isinstance(column, Numbers):
            return None if np.isnan(column.values[0]) else float(column.values[0])
        if name in self.names:
            return self.names[name] or None
        return column.names[int(column.codes[0])] if column is not None and column.codes[0] >= 0 else None

    def _said(self, name: str, value: float | str | None) -> str:
        attribute = self.attributes.get(name.removeprefix(CUSTOM))
        return state_of(name, value, self._label(name), self.currency, attribute.kind if attribute else "")

    def _changes(self, log_odds: float) -> list[LikelihoodChange]:
        """The best ones among what others in the book have; each with the likelihood that the renewal would have."""
        columns = {name: CHANGEABLE.get(name, 0) for name in self.rows.columns if self._may_change(name)}
        among = self._among()
        found = best_changes(self.model, among, 0, columns, CHANGES)
        return [
            LikelihoodChange(
                self._said(change.column, change.value),
                float(np.clip(expit(log_odds + change.gain), likelihood.LOWEST, likelihood.HIGHEST)),
            )
            for change in found
        ]

    def _may_change(self, name: str) -> bool:
        if not self.rules.inputs.levels.get(name):
            return False
        # Not asked yet, or nothing forecast: to write it would move nothing, and no rise is there to be taken back.
        if name in WORKED and self._value(name) is None:
            return False
        attribute = self.attributes.get(name.removeprefix(CUSTOM))
        return name in CHANGEABLE or (attribute is not None and attribute.kind != AttributeDefinition.Kind.DATE)

    def _among(self) -> Rows:
        """The row, followed by ones that between them have the usual values of every column."""
        levels = self.rules.inputs.levels
        size = 1 + max((len(values) for values in levels.values()), default=0)
        columns: dict[str, fitted.Column] = {}
        for name, column in self.rows.columns.items():
            usual = levels.get(name, ())
            if isinstance(column, Numbers):
                values = np.resize(np.array(usual, dtype=np.float64), size) if usual else np.full(size, np.nan)
                values[0] = column.values[0]
                columns[name] = Numbers(values)
            else:
                names = tuple(str(one) for one in usual)
                own = column.names[int(column.codes[0])] if column.codes[0] >= 0 else None
                codes = np.resize(np.arange(len(names)), size) if names else np.full(size, -1)
                codes[0] = names.index(own) if own in names else -1
                columns[name] = Categories(codes, names)
        none = np.zeros(size, dtype=np.int64)
        scores = np.full(size, self.rows.scores[0])
        return Rows(columns, (), none, none.astype(np.bool_), scores=scores)
