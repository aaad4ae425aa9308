"""Health of accounts: its list and back-test, what people and programs post, and the admin's weights."""

from accounts.models import HealthFactor, HealthWeightVersion, Segment
from tests.cast import Cast
from tests.permissions import Row, everybody, only
from tests.permissions.touches import INVALID, WRITERS, account


def segment(cast: Cast) -> int:
    return Segment.objects.get_or_create(name="Enterprise")[0].pk


def version(cast: Cast) -> int:
    found = HealthWeightVersion.objects.first()
    assert found is not None
    return found.pk


def factor(cast: Cast) -> int:
    return HealthFactor.objects.get(key="nps_score").pk


WEIGHTS = {f"weight-{key}": "1" for key in (
    "usage_change_rate", "login_change_rate", "seat_change_rate", "csat_score", "nps_score", "sentiment_score",
    "severe_ticket_count", "reopened_ticket_rate", "late_payment_days", "failed_payment_count", "chargeback_count",
    "has_champion_left",
)} | {"healthy_from": "70", "watch_from": "50"}  # fmt: skip
SENTIMENT = {"health-sentiment_score": "2", "health-measured_on": "2026-01-05"}
SCALE = {"label": "NPS", "worst_value": "-50", "best_value": "70", "stale_days": "300"}
NEW = {"key": "quiz", "label": "Quiz", "worst_value": "0", "best_value": "10", "stale_days": "90"}
# A viewer may write nothing; for the others it is no JSON.
POSTING = everybody(422, viewer=403, auditor=403)
ROWS = [
    Row("health:list", everybody(200)),
    Row("health:list", everybody(405), method="post"),
    Row("health:backtest", everybody(200)),
    Row("health:post_signals", everybody(405)),
    Row("health:post_signals", POSTING, method="post"),
    Row("health:sentiment", WRITERS, kwargs={"pk": account}, method="post", data=SENTIMENT),
    Row("health:sentiment", INVALID, kwargs={"pk": account}, method="post", data={"health-sentiment_score": "9"}),
    Row("health:sentiment", everybody(405), kwargs={"pk": account}),
    Row("health:sentiment", everybody(404), kwargs={"pk": 999_999_999}, method="post", data=SENTIMENT),
    Row("health:weights", only("admin")),
    Row("health:weights", only("admin"), data={"segment": segment}),  # one that has no weights of its own
    Row("health:weights", only("admin"), method="post", data=WEIGHTS),
    Row("health:weights", only("admin", status=302), method="post", data=WEIGHTS | {"confirm": "yes"}),
    Row("health:weights", only("admin", status=422), method="post", data=WEIGHTS | {"watch_from": "80"}),
    Row("health:share_weights", only("admin", status=302), kwargs={"segment_id": segment}, method="post"),
    Row("health:share_weights", everybody(405), kwargs={"segment_id": segment}),
    Row("health:restore_weights", only("admin", status=302), kwargs={"pk": version}, method="post"),
    Row("health:restore_weights", only("admin", status=404), kwargs={"pk": 999_999_999}, method="post"),
    Row("health:new_factor", only("admin")),
    Row("health:new_factor", only("admin", status=302), method="post", data=NEW),
    Row("health:new_factor", only("admin", status=422), method="post", data=NEW | {"best_value": "0"}),
    Row("health:edit_factor", only("admin"), kwargs={"pk": factor}),
    Row("health:edit_factor", only("admin", status=302), kwargs={"pk": factor}, method="post", data=SCALE),
    Row("health:edit_factor", only("admin", status=404), kwargs={"pk": 999_999_999}),
]
