"""Capacity: everybody looks at what they see; admins set hours, holidays and plans; people keep their absences."""

from tests.permissions import Row, everybody, only
from tests.permissions.forecast import SEES_EMEA, key_of

TERMS = {
    **{"week_hours": "40", "utilisation_rate": "0.75", "overhead_rate": "0.85", "work_weeks": "8"},
    **{"onboarding_hours": "10", "onboarding_weeks": "6", "support_hours": "0", "hiring_weeks": "12"},
    "hours-any-any": "16",
}
MONTH = {"month": "2027-01", "sales_count": "4", "marketing_count": "2"}
HOLIDAY = {"on": "2027-05-01", "name": "May Day"}
ROWS = [
    Row("dashboards:capacity", everybody(200)),
    Row("dashboards:capacity", everybody(405), method="post"),
    Row("dashboards:capacity", everybody(422), data={"utilisation": "0"}),
    Row("dashboards:capacity", only(*SEES_EMEA, denied=404), data={"team": key_of("manager", "team_id")}),
    # Nothing is added up in the book that these are asked of.
    Row("dashboards:capacity_sum", everybody(404)),
    Row("dashboards:capacity_terms", only("admin")),
    Row("dashboards:capacity_terms", only("admin", status=302), method="post", data=TERMS),
    Row("dashboards:capacity_terms", only("admin", status=422), method="post", data=TERMS | {"week_hours": "0"}),
    Row("dashboards:absences", everybody(200)),
    Row("dashboards:absences", everybody(422, viewer=403, auditor=403), method="post"),
    Row("dashboards:remove_absence", everybody(404), kwargs={"pk": 987654}, method="post"),
    Row("dashboards:remove_absence", everybody(405), kwargs={"pk": 987654}),
    Row("dashboards:holidays", only("admin", status=302), method="post", data=HOLIDAY),
    Row("dashboards:holidays", everybody(405)),
    Row("dashboards:remove_holiday", only("admin", status=404), kwargs={"pk": 987654}, method="post"),
    Row("dashboards:remove_holiday", everybody(405), kwargs={"pk": 987654}),
    Row("dashboards:planned_customers", everybody(200)),
    Row("dashboards:learning_curve", everybody(200)),
    Row("dashboards:learning_curve", everybody(405), method="post"),
    Row("dashboards:learning_curve", only(*SEES_EMEA, denied=404), data={"team": key_of("manager", "team_id")}),
    Row("dashboards:planned_customers", only("admin", status=302), method="post", data=MONTH),
    Row("dashboards:planned_customers", only("admin", status=422), method="post", data=MONTH | {"month": "May"}),
]
