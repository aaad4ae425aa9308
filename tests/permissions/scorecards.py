"""Scorecards: a rep sees their own, a manager the team's, who sees the whole book everybody's."""

from tests.permissions import Row, everybody
from tests.permissions.forecast import key_of

REPS_CARD = ("admin", "auditor", "manager", "rep")
ROWS = [
    Row("dashboards:scorecards", everybody(200)),
    Row("dashboards:scorecards", everybody(405), method="post"),
    Row("dashboards:scorecard", everybody(302), kwargs={"pk": key_of("rep")}),
    Row("dashboards:scorecard", everybody(405), kwargs={"pk": key_of("rep")}, method="post"),
    Row("dashboards:scorecards", everybody(404), data={"format": "xlsx"}),
]
