"""Recurring revenue: the page, the rows behind a figure, and the table as a file."""

from tests.permissions import Row, everybody, only
from tests.permissions.forecast import SEES_EMEA, key_of

ROWS = [
    Row("forecasting:mrr", everybody(200)),
    Row("forecasting:mrr", everybody(405), method="post"),
    # Another team's page is not there for who may not see it, an owner of another team neither.
    Row("forecasting:mrr", only(*SEES_EMEA, denied=404), data={"team": key_of("manager", "team_id")}),
    Row("forecasting:mrr", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep"), "back": "24"}),
    Row("forecasting:mrr", everybody(404), data={"back": "13"}),
    Row("forecasting:mrr_rows", everybody(200), data={"month": "2026-11"}),
    Row("forecasting:mrr_rows", everybody(404), data={"month": "2026-13"}),
    Row(
        "forecasting:mrr_rows",
        only(*SEES_EMEA, denied=404),
        data={"month": "2026-11", "kind": "churn", "owner": key_of("rep")},
    ),
    # Nothing is rolled up in the book that these are asked of.
    Row("forecasting:mrr_file", everybody(404), kwargs={"suffix": "csv"}),
]
