"""Single rows that nearly every request reads, without composing the same SELECT anew each time.

Django takes 0.3 ms to compose what PostgreSQL answers in 0.1 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)
Convert = Callable[[Any, Any, Any], Any]


def read_instance(model: type[M], condition: str, params: Sequence[Any]) -> M | None:
    """The first row of the model for which the SQL after WHERE holds, as its manager gives it; None without one."""
    select, names, conversions = _select(model)
    with connection.cursor() as cursor:
        cursor.execute(f"{select} WHERE {condition}", params)
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for place, convert in conversions:
        values[place] = convert(values[place], None, connection)
    return model.from_db(connection.alias, names, values)


@cache
def _select(model: type[Model]) -> tuple[str, list[str], list[tuple[int, Convert]]]:
    """SELECT and FROM, the names of the columns, and the places of those that are converted (JSON)."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    conversions = [
        (place, field.from_db_value) for place, field in enumerate(fields) if hasattr(field, "from_db_value")
    ]
    return f"SELECT {columns} FROM {model._meta.db_table}", [field.attname for field in fields], conversions
