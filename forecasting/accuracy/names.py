"""What scopes and forecasters of a backtest are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from accounts.models import Segment, Team, User
from forecasting.models import BacktestScope

Kind = BacktestScope.Kind
FORECASTER_NAMES: Final = {
    "joined": "Joined",
    "model": "Model",
    "rep": "Rep",
    "last_year": "Last year's rate",
}


def group_names(scopes: Iterable[BacktestScope]) -> dict[tuple[str, int], str]:
    """By kind and id, the names of today; one that is gone keeps its number."""
    wanted: dict[str, set[int]] = {}
    for one in scopes:
        wanted.setdefault(one.kind, set()).add(one.group_id)
    found = {(str(Kind.BOOK), 0): "Whole book"}
    for kind, model in ((Kind.TEAM, Team), (Kind.OWNER, User), (Kind.SEGMENT, Segment)):
        ids = wanted.get(kind, set())
        known = {row.pk: str(row) for row in model.objects.filter(pk__in=ids)}
        found |= {(str(kind), pk): known.get(pk, f"{kind.label} {pk}") for pk in ids}
    return found
