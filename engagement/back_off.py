"""When something that did not work is tried again: a minute after the first try, six hours after the tenth and later.

Half of each pause is drawn by lot, so that what failed together does not come back together.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import DateTimeField, F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Least, Power, Random

FIRST_SECONDS, LONGEST_SECONDS = 60.0, 6 * 3600.0
DOUBLED_TIMES = 10  # beyond the longest pause: a large exponent would only overflow


def next_try_at(now: dt.datetime, *, count: str = "try_count") -> Combinable:
    """For an UPDATE of rows whose column `count` holds the tries so far, this one among them (1 or more).

    After try n the pause is d to 2d seconds with d = 60 x 2^(n-1), within 60 s and 6 h.
    """
    doublings = Least(F(count) - Value(1), Value(DOUBLED_TIMES))
    longest = Least(Value(2 * FIRST_SECONDS) * Power(Value(2.0), doublings), Value(LONGEST_SECONDS))
    seconds = longest * (Value(0.5) + Random() / Value(2.0))
    return Func(Value(now), seconds, template="(%(expressions)s)", arg_joiner=" + interval '1 second' * ",
                output_field=DateTimeField())  # fmt: skip
