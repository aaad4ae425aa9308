"""Targets: read like the forecast, written by admins, and by managers for their own team."""

from typing import Any

from tests.cast import Cast
from tests.permissions import Row, everybody, only


def own_team(cast: Cast) -> Any:
    return cast.manager.team_id


ROWS = [
    Row("forecasting:targets", everybody(200)),
    Row("forecasting:targets", only("admin", "manager", "other_manager", status=302), method="post"),
    Row(
        "forecasting:targets",
        everybody(200, outsider=404, other_manager=404),
        data={"team": own_team},
    ),
    Row("forecasting:targets", everybody(404), data={"team": "0"}),
    Row("forecasting:targets", everybody(404), data={"by": "week"}),
    Row("forecasting:targets", everybody(404), data={"year": "1999"}),
]
