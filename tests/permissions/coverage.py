"""Coverage: everybody looks, managers and admins set touch models, admins say what they cost."""

from tests.permissions import Row, everybody, only

TERMS = {
    "rep_hours": "300",
    **{"low_hours-others": "1", "mid_hours-others": "2", "high_hours-others": "5"},
    **{"low_saved_rate-others": "1", "mid_saved_rate-others": "20", "high_saved_rate-others": "30"},
}
STALE = only("admin", "manager", "other_manager", status=409)
ROWS = [
    Row("coverage:page", everybody(200)),
    Row("coverage:page", everybody(405), method="post"),
    Row("coverage:export", everybody(200)),
    Row("coverage:export", everybody(405), method="post"),
    Row("coverage:apply", everybody(405)),
    Row("coverage:apply", STALE, method="post", data={"fingerprint": "another"}),
    Row("coverage:terms", only("admin")),
    Row("coverage:terms", only("admin", status=302), method="post", data=TERMS),
    Row("coverage:terms", only("admin", status=422), method="post", data=TERMS | {"mid_hours-others": "9"}),
]
