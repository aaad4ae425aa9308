"""Feedback: everybody reads themes, with the tickets of their own scope; admins say what a theme is, managers handle
it too."""

from engagement.models import FeedbackTheme
from tests.cast import Cast
from tests.permissions import Row, everybody, only


def theme(cast: Cast) -> int:
    return FeedbackTheme.objects.create(name="Export", words=["export"]).pk


def own_theme(cast: Cast) -> int:
    return FeedbackTheme.objects.create(name="Export", words=["export"], owner=cast.rep).pk


PK = {"pk": theme}
RULE = {"name": "Export", "words": "export\nbackup", "route": "engineering", "status": "new"}
MANAGERS = ("admin", "manager", "other_manager")
ROWS = [
    Row("feedback:board", everybody(200)),
    Row("feedback:unsorted", everybody(200)),
    Row("feedback:board_file", everybody(200)),
    Row("feedback:theme", everybody(200), kwargs=PK),
    Row("feedback:theme", everybody(404), kwargs={"pk": 1_000_000}),
    Row("feedback:tickets_file", everybody(200), kwargs=PK),
    Row("feedback:create", only("admin")),
    Row("feedback:create", only("admin", status=302), method="post", data=RULE),
    Row("feedback:create", only("admin", status=422), method="post", data=RULE | {"words": "?!"}),
    Row("feedback:edit", only(*MANAGERS, status=302), method="post", kwargs=PK, data=RULE | {"seen": "0"}),
    Row("feedback:edit", only(*MANAGERS, status=409), method="post", kwargs=PK, data=RULE | {"seen": "7"}),
    Row("feedback:edit", only(*MANAGERS, "rep", status=302), method="post", kwargs={"pk": own_theme},
        data=RULE | {"seen": "0"}),
    Row("feedback:edit", everybody(405), kwargs=PK),
    Row("feedback:move", only(*MANAGERS, status=302), method="post", kwargs=PK, data={"seen": "0", "status": "done"}),
    Row("feedback:move", only(*MANAGERS, "rep", status=302), method="post", kwargs={"pk": own_theme},
        data={"seen": "0", "status": "accepted"}),
    Row("feedback:move", only(*MANAGERS, status=422), method="post", kwargs=PK,
        data={"seen": "0", "status": "declined"}),
    Row("feedback:move", only(*MANAGERS, status=422), method="post", kwargs=PK, data={"seen": "0", "status": "gone"}),
    Row("feedback:move", only(*MANAGERS, status=409), method="post", kwargs=PK, data={"status": "done"}),
    Row("feedback:delete", only("admin", status=302), method="post", kwargs=PK, data={"seen": "0"}),
    Row("feedback:delete", only("admin", status=409), method="post", kwargs=PK, data={"seen": "1"}),
]  # fmt: skip
