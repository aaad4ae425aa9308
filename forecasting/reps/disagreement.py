"""Open renewals on which rep and model disagree strongly, those with most at stake first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import ExpressionWrapper, F, FloatField
from django.db.models.functions import Abs
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import User
from renewals.models import Renewal
from renewals.overrides.filters import HIGHER, LOWER, STRONG_POINTS, disagreeing

POINTS: Final = (20, STRONG_POINTS, 40, 50)
SIDES: Final = {"": "Either", HIGHER: "Rep higher", LOWER: "Rep lower"}


@dataclass(frozen=True)
class Asked:
    """From how many points on, which side, whose."""

    points: int
    side: str
    is_mine: bool

    def url(self, **changes: Any) -> str:
        said: dict[str, Any] = {"points": self.points, "side": self.side, "owner": "me" if self.is_mine else ""}
        kept = {name: value for name, value in {**said, **changes}.items() if value and value != STRONG_POINTS}
        return reverse("forecasting:disagreements") + (f"?{urlencode(kept)}" if kept else "")

    @property
    def table_url(self) -> str:
        """The same rows in the central table, which knows the usual bound."""
        sides = [self.side] if self.side else [HIGHER, LOWER]
        query: dict[str, Any] = {"outcome": "open", "disagreement": sides}
        return f"{reverse('renewals:table')}?{urlencode(query | ({'owner': 'me'} if self.is_mine else {}), doseq=True)}"


def read_asked(params: Mapping[str, str]) -> Asked:
    """What cannot be read is the default."""
    points = params.get("points", "")
    side = params.get("side", "")
    return Asked(
        int(points) if points in {str(one) for one in POINTS} else STRONG_POINTS,
        side if side in SIDES else "",
        params.get("owner") == "me",
    )


def find_disagreements(user: User, asked: Asked) -> Any:
    """What the user sees of them, by distance times baseline; the baseline in the currency of each."""
    sides = (asked.side,) if asked.side else (HIGHER, LOWER)
    rows = Renewal.objects.visible_to(user).filter(disagreeing(sides, asked.points), is_excluded=False)
    if asked.is_mine:
        rows = rows.filter(owner=user)
    distance = Abs(F("confidence") - F("score__likelihood") * 100)
    stake = ExpressionWrapper(distance * F("baseline_amount"), output_field=FloatField())
    rows = rows.annotate(distance=distance, stake=stake).order_by("-stake", "pk")
    return rows.select_related("account", "owner", "stage", "score")
