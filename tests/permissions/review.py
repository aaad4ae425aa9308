"""The early-month review; freezing its call is asked of the page of calls."""

from tests.permissions import Row, everybody, only
from tests.permissions.forecast import SEES_EMEA, key_of

ROWS = [
    Row("dashboards:review", everybody(200)),
    Row("dashboards:review", everybody(405), method="post"),
    Row("dashboards:review", everybody(404), data={"format": "xlsx"}),
    Row("dashboards:review", everybody(422), data={"as_at": "yesterday"}),
    Row("dashboards:review", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep")}),
]
