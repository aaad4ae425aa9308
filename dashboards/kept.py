"""Versions of what dashboards are made of, under which what was set of them is kept (`forecasting.kept`).

Setting eight charts takes ten times what reading their sums does. What is made of sums alone is kept under their
version; what is made of rows too under that and under how often any of them was written to.
"""

from __future__ import annotations

from collections.abc import Hashable

from django.db import connection

from dashboards.models import BookChange, RollUp
from forecasting.kept import version_of_recurring


def version(roll_up: RollUp) -> Hashable:
    """Changes with every sum that a dashboard is read from: cells, and movements of recurring revenue."""
    return (roll_up.run_id, roll_up.rolled_up_at, version_of_recurring())


def version_of_rows() -> Hashable:
    """Changes with every row that a dashboard reads beside the sums, and with the rules by which it reads them."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sum(count) FROM {BookChange._meta.db_table}")
        (found,) = cursor.fetchone()
    return int(found or 0)
