"""The list of the unmonitored, and what counts as that."""

from tests.permissions import Row, everybody, only

DAYS = {"due-others": "60", "silent-others": "20"}
ROWS = [
    Row("monitoring:list", everybody(200)),
    Row("monitoring:list", everybody(405), method="post"),
    Row("monitoring:rules", only("admin")),
    Row("monitoring:rules", only("admin", status=302), method="post", data=DAYS),
    Row("monitoring:rules", only("admin", status=422), method="post", data={"due-others": "-1", "silent-others": "0"}),
]
