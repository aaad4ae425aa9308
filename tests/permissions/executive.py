"""The executive page: everybody's, each in what they may see."""

from tests.permissions import Row, everybody, only
from tests.permissions.forecast import SEES_EMEA, key_of

ROWS = [
    Row("dashboards:executive", everybody(200)),
    Row("dashboards:executive", everybody(405), method="post"),
    Row("dashboards:executive", everybody(404), data={"format": "xlsx"}),
    Row("dashboards:executive", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep")}),
    Row("dashboards:executive_mail", everybody(200)),
    Row("dashboards:executive_mail", everybody(422), method="post", data={"hour": "7"}),
    Row("dashboards:executive_mail", everybody(302), method="post", data={"weekdays": "1", "hour": "7"}),
    Row("dashboards:send_executive_mail", everybody(302), method="post"),
    Row("dashboards:send_executive_mail", everybody(405)),
]
