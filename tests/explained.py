"""What the plan of a statement went through, for tests of statements that once compared each row with each.

What was filled a moment ago has no statistics, or those of before: plans of then are what these tests are about, so
they fill thousands of rows, and ask how many the steps of the plan looked at, and how many they were taken for. No
clock takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

Plan = dict[str, Any]


@contextmanager
def explained(*beginnings: str) -> Iterator[list[Plan]]:
    """Statements that begin so are executed under EXPLAIN ANALYZE; the plans of each. None of them returns rows."""
    plans: list[Plan] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not " ".join(sql.split()).startswith(beginnings):
            return execute(sql, params, many, context)
        execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params, many, context)
        [(found,)] = context["cursor"].fetchall()
        plans.append(found[0]["Plan"])
        return None

    with connection.execute_wrapper(explain):
        yield plans


def most_rows(plan: Plan) -> int:
    """The most rows that any step of a plan looked at, over all its turns: those it gave on and those it dropped."""
    dropped = sum(plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Join Filter", "Index Recheck"))
    here = round((plan["Actual Rows"] + dropped) * plan["Actual Loops"])
    return max([here, *(most_rows(step) for step in plan.get("Plans", []))])


def tables_read(plan: Plan) -> set[str]:
    """The tables that a statement looks at, beside the one that it only writes to."""
    own = {plan["Relation Name"]} if "Relation Name" in plan and plan["Node Type"] != "ModifyTable" else set()
    return own.union(*(tables_read(step) for step in plan.get("Plans", [])))


def worst_guess(plan: Plan, table: str) -> float:
    """How many times the rows that a table gave were more than the planner expected; what is taken for few is joined
    row by row."""
    here = plan["Actual Rows"] / max(plan["Plan Rows"], 1) if plan.get("Relation Name") == table else 0.0
    return max([here, *(worst_guess(step, table) for step in plan.get("Plans", []))])
