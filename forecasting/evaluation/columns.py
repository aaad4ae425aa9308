"""What a file says of its renewals, as columns of numbers or of categories."""

from typing import Final

import numpy as np
import pandas as pd

from forecasting.engine.arrays import Booleans, Floats
from forecasting.engine.fitted import Categories, Column, Numbers
from forecasting.engine.fitted.features import MANY_VALUES

# Words by which programs write that nothing is known.
BLANKS: Final = frozenset(("", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "none", "null", "nat"))
BOOLEANS: Final = {"true": 1.0, "false": 0.0}
NUMBER_SHARE: Final = 0.9  # of the known values, before the rest of them count as slips of the pen
EPOCH: Final = pd.Timestamp("1970-01-01", tz="UTC")


def is_blank(values: "pd.Series[str]") -> Booleans:
    return np.asarray(values.str.strip().str.lower().isin(BLANKS), dtype=np.bool_)


def numbers_of(values: "pd.Series[str]") -> Floats:
    """float64[n], NaN for what is no number; true and false are 1 and 0."""
    found: Floats = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan).copy()
    if np.isnan(found).any():
        truths = values.str.strip().str.lower().map(BOOLEANS).to_numpy(dtype=np.float64, na_value=np.nan)
        found = np.where(np.isnan(found), truths, found)
    return found


def column_of(values: "pd.Series[str]") -> tuple[Column, str]:
    """(the column, what to say of it): numbers, ISO dates as days since 1970, or categories.

    Nine of ten known values make a column one of numbers, where these are more than a dozen different ones; the words
    among them count as missing then, and that is said. Infinity counts as missing too.
    """
    blank = is_blank(values)
    found = numbers_of(values)
    found[blank | np.isinf(found)] = np.nan
    is_word = ~blank & np.isnan(found) & ~_is_infinite(values)
    if not is_word.any():
        return Numbers(found), ""
    days = _days(values, blank)
    if days is not None:
        return Numbers(days), ""
    known = int((~blank).sum())
    if is_word.sum() <= (1 - NUMBER_SHARE) * known and np.unique(found[~np.isnan(found)]).size > MANY_VALUES:
        word = values.iloc[int(np.argmax(is_word))]
        count = int(is_word.sum())
        return Numbers(found), f"{count:,} of {known:,} values are no numbers and count as missing, such as {word!r}"
    return categories_of(values), ""


def categories_of(values: "pd.Series[str]") -> Categories:
    codes, names = pd.factorize(values.where(~is_blank(values)))
    return Categories(codes.astype(np.int64), tuple(str(name) for name in names))


def _is_infinite(values: "pd.Series[str]") -> Booleans:
    found: Booleans = np.isinf(pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
    return found


def _days(values: "pd.Series[str]", blank: Booleans) -> Floats | None:
    """Days since 1970 where every known value is an ISO date or time: of a later one than any may be learned."""
    known = values[~blank]
    if not known.str.match(r"\d{4}-\d{2}-\d{2}").all():
        return None
    found = pd.to_datetime(known, format="ISO8601", errors="coerce", utc=True)
    if found.isna().any():
        return None
    days = np.full(len(values), np.nan)
    days[~blank] = (found - EPOCH) / pd.Timedelta(days=1)
    return days
