"""The columns that the likelihood is learned on and asked about: one function builds them for both, so they agree.

No column may tell how long before its decision a renewal is looked at: the decided ones all are at one horizon, which
for an early order lies further before its due day. Ages are therefore counted to the due day. Confidence is no column:
it is the rep's own word and is joined with the likelihood by its record. Stage and forecast are asked of an open one
only as near its due day as the decided ones were looked at; before that, no stage says only that nobody has begun.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from accounts.models import AttributeDefinition
from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.fitted import Categories, Numbers
from forecasting.engine.fitted import Column as ModelColumn
from forecasting.frames.binary_copy import Column

if TYPE_CHECKING:
    from forecasting.frames.book import Book
    from forecasting.frames.scoring import Judged

CUSTOM: Final = "custom:"
# An open renewal is worked, and its stage and forecast mean something, from so many days before the horizon.
WORKED_DAYS: Final = 30
# Signals as the engine's factors take them (engine.factors.FactorInputs).
SIGNALS: Final = (
    "usage_change_rate",
    "days_since_touch",
    "severe_ticket_count",
    "reopened_ticket_rate",
    "csat_score",
    "nps_score",
    "late_payment_days",
    "failed_payment_count",
    "chargeback_count",
    "past_late_rate",
    "champion_left",
    "size_change_rate",
    "term_days",
)
COMMON: Final = ("segment", "industry", "baseline", "tenure_days", *SIGNALS)
OF_CONTRACT: Final = ("product", "is_auto_renewing", "notice_days")
WORKED: Final = ("stage_progress", "price_rise_rate")
Kind = AttributeDefinition.Kind


@dataclass(frozen=True)
class Attribute:
    """A custom attribute as it was when the likelihood was fitted; `names` are the values of a category."""

    key: str
    kind: str
    is_of_account: bool
    is_steady: bool
    names: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        return CUSTOM + self.key

    @property
    def field(self) -> str:
        return f"likelihood_{self.key}"


@dataclass(frozen=True)
class Inputs:
    """What a likelihood is asked with.

    names       its columns
    rates       by currency: reporting currency for one unit, on the day of the fit, so that no rate moves a likelihood
    regions, products   names that stood in the book then; another one counts as unknown
    levels      by column: what the renewals that it was learned from had, its deciles or its names, for advice
    """

    names: tuple[str, ...]
    rates: Mapping[str, float]
    regions: tuple[str, ...]
    products: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    horizon_days: int
    levels: Mapping[str, Sequence[float | str]] = field(default_factory=dict)

    def only(self, names: Collection[str]) -> Inputs:
        """Asked with these columns alone; what no other needs is not read."""
        wanted = set(names)
        return Inputs(
            names=tuple(name for name in self.names if name in wanted),
            rates=self.rates if "baseline" in wanted else {},
            regions=self.regions if "region" in wanted else (),
            products=self.products if "product" in wanted else (),
            attributes=tuple(one for one in self.attributes if one.column in wanted),
            horizon_days=self.horizon_days,
            levels={name: values for name, values in self.levels.items() if name in wanted},
        )

    def read_columns(self, holder: str) -> list[Column]:
        """What is to be read of a renewal `r`, an account `a` or a contract `c` beside what every score needs."""
        columns = [_attribute_column(one) for one in self.attributes if holder == ("a" if one.is_of_account else "r")]
        if holder == "r" and "baseline" in self.names:
            columns.append(_place_column("likelihood_currency", "r.currency::text", tuple(self.rates)))
        if holder == "a" and "region" in self.names:
            columns.append(_place_column("likelihood_region", "a.region", self.regions))
        if holder == "c" and "product" in self.names:
            columns.append(_place_column("likelihood_product", "c.product", self.products))
        return columns

    def to_dict(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "rates": dict(self.rates),
            "regions": list(self.regions),
            "products": list(self.products),
            "attributes": [
                [one.key, one.kind, one.is_of_account, one.is_steady, list(one.names)] for one in self.attributes
            ],
            "horizon_days": self.horizon_days,
            "levels": {name: list(values) for name, values in self.levels.items()},
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Inputs:
        return cls(
            tuple(stored["names"]),
            stored["rates"],
            tuple(stored["regions"]),
            tuple(stored["products"]),
            tuple(
                Attribute(key, kind, is_of_account, is_steady, tuple(names))
                for key, kind, is_of_account, is_steady, names in stored["attributes"]
            ),
            stored["horizon_days"],
            stored["levels"],
        )


NO_INPUTS: Final = Inputs((), {}, (), (), (), 0)


def _place_column(name: str, text: str, known: tuple[str, ...]) -> Column:
    return Column(name, "int2", f"COALESCE(array_position(%s::text[], {text}), 0) - 1", (list(known),))


def attribute_sql(holder: str, key: str, kind: str, names: Sequence[str]) -> tuple[str, tuple[object, ...]]:
    """(SQL of an attribute's value as a float8, its parameters): NaN where it is blank or of another kind.

    A category is its place among `names`, -1 where it is none of them; a date its day since 1970-01-01.
    """
    value, text = f"{holder}.attributes -> %s", f"{holder}.attributes ->> %s"
    # How often each of them names the attribute is how many parameters follow.
    sql = {
        Kind.NUMBER: f"CASE WHEN jsonb_typeof({value}) = 'number' THEN ({value})::float8 ELSE 'NaN' END",
        Kind.FLAG: f"CASE {value} WHEN 'true'::jsonb THEN 1 WHEN 'false'::jsonb THEN 0 ELSE 'NaN'::float8 END",
        # Built from its parts so that an impossible day cannot stop the book.
        Kind.DATE: f"CASE WHEN {text} ~ '^[0-9]{{4}}-(0[1-9]|1[0-2])-[0-3][0-9]' THEN"
        f" make_date(substr({text}, 1, 4)::int, substr({text}, 6, 2)::int, 1) - DATE '1970-01-01'"
        f" + substr({text}, 9, 2)::int - 1 ELSE 'NaN'::float8 END",
        Kind.CATEGORY: f"COALESCE(array_position(%s::text[], {text}), 0) - 1",
    }[Kind(kind)]
    parameters: tuple[object, ...] = (key,) * (sql.count(value) + sql.count(text))
    return sql, (list(names), *parameters) if kind == Kind.CATEGORY else parameters


def _attribute_column(attribute: Attribute) -> Column:
    holder = "a" if attribute.is_of_account else "r"
    sql, parameters = attribute_sql(holder, attribute.key, attribute.kind, attribute.names)
    return Column(attribute.field, "float8", sql, parameters)


def build_columns(
    book: Book, judged: Judged, inputs: Inputs, *, places: Integers, progress: Floats, is_worked: Booleans
) -> dict[str, ModelColumn]:
    """The columns of the renewals at `places` int[n] of the book.

    progress    float[rows of the book], how far the stage of each has come
    is_worked   bool[rows of the book], whether its stage and its forecast count
    """
    rows = book.renewals
    rise = np.divide(
        rows["forecast"] - rows["baseline"],
        rows["baseline"],
        out=np.full(book.row_count, np.nan),
        where=is_worked & (rows["baseline"] > 0) & (rows["forecast"] >= 0),
    )
    makers: dict[str, Callable[[], ModelColumn]] = {
        "segment": lambda: _by_id(rows["segment_id"][places]),
        "industry": lambda: _by_id(rows["industry_id"][places]),
        "region": lambda: Categories(rows["likelihood_region"][places].astype(np.int64), inputs.regions),
        "product": lambda: Categories(rows["likelihood_product"][places].astype(np.int64), inputs.products),
        "baseline": lambda: Numbers(
            _log_amount(rows["baseline"][places], rows["likelihood_currency"][places], inputs.rates)
        ),
        "tenure_days": lambda: Numbers(_tenure(rows["customer_since"], rows["starts"], rows["due"])[places]),
        "is_auto_renewing": lambda: Numbers(_known(rows["is_auto_renewing"][places])),
        "notice_days": lambda: Numbers(_known(rows["notice_days"][places])),
        "stage_progress": lambda: Numbers(np.where(is_worked, progress, np.nan)[places]),
        "price_rise_rate": lambda: Numbers(rise[places]),
    }
    columns: dict[str, ModelColumn] = {}
    for name in inputs.names:
        if name in makers:
            columns[name] = makers[name]()
        elif not name.startswith(CUSTOM):
            columns[name] = Numbers(np.asarray(getattr(judged.inputs, name), dtype=np.float64)[places])
    for attribute in inputs.attributes:
        columns[attribute.column] = _attribute(attribute, rows[attribute.field][places], rows["due"][places])
    return columns


def _by_id(ids: Integers) -> Categories:
    """Ids are the names: a segment that is renamed stays what it was."""
    known, place = np.unique(ids, return_inverse=True)
    first = int(np.searchsorted(known, 0))
    return Categories(np.where(ids < 0, -1, place - first), tuple(str(one) for one in known[first:].tolist()))


def _log_amount(cents: Integers, currency: Integers, rates: Mapping[str, float]) -> Floats:
    """Base-10 logarithm of 1 + the amount in the reporting currency; NaN without a rate."""
    rate = np.append(np.array(list(rates.values()), dtype=np.float64), np.nan)[currency]
    amount: Floats = np.log10(1 + cents / 100 * rate)
    return amount


def _tenure(since: Integers, starts: Integers, due: Integers) -> Floats:
    """Days from the customer's first term, or this one, to the due day."""
    since = np.where(since != NO_DAY, since, starts)
    days: Floats = np.where(since == NO_DAY, np.nan, np.maximum(due.astype(np.float64) - since, 0))
    return days


def _known(values: Integers) -> Floats:
    known: Floats = np.where(values < 0, np.nan, values.astype(np.float64))
    return known


def _attribute(attribute: Attribute, values: Floats, due: Integers) -> ModelColumn:
    if attribute.kind == Kind.CATEGORY:
        return Categories(np.where(np.isnan(values), -1, values).astype(np.int64), attribute.names)
    return Numbers(due - values if attribute.kind == Kind.DATE else values)
