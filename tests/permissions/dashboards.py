"""The dashboards: their pages, and a figure taken apart."""

from tests.permissions import Row, everybody, only
from tests.permissions.forecast import SEES_EMEA, key_of

PAGES = ("dashboards:forecast", "dashboards:retention", "dashboards:timing", "dashboards:risk")
ROWS = [
    Row("dashboards:home", everybody(302)),
    *(Row(page, everybody(200)) for page in PAGES),
    *(Row(page, everybody(405), method="post") for page in PAGES),
    # Another team's page is not there for who may not see it, an owner of another team neither.
    *(Row(page, only(*SEES_EMEA, denied=404), data={"team": key_of("manager", "team_id")}) for page in PAGES),
    *(Row(page, only(*SEES_EMEA, denied=404), data={"owner": key_of("rep"), "by": "month"}) for page in PAGES),
    Row("dashboards:retention", everybody(404), data={"attribution": "by chance"}),
    Row("dashboards:timing", everybody(404), data={"years": "7"}),
    # Nothing is added up in the book that these are asked of.
    Row("dashboards:timing", everybody(404), data={"format": "xlsx"}),
    Row("dashboards:retention", everybody(422), data={"as_at": "yesterday"}),
    Row("dashboards:explain", everybody(200), kwargs={"key": "gross"}),
    Row("dashboards:explain", everybody(404), kwargs={"key": "luck"}),
    Row("dashboards:explain", only(*SEES_EMEA, denied=404), kwargs={"key": "net"}, data={"owner": key_of("rep")}),
]
