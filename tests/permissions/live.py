"""What an open table asks every two seconds. Everybody may ask; what is told of a row only who may see it learns."""

from tests.cast import Cast
from tests.permissions import Row, everybody
from tests.permissions.table import renewal


def seen_before(cast: Cast) -> str:
    """The rep's row in a version that never was: who sees it learns of a change, the others that it is gone."""
    return f"{renewal(cast)}-0-1"


ROWS = [
    Row("live:changes", everybody(204)),
    Row("live:changes", everybody(200), data={"seen": seen_before}),
    Row("live:changes", everybody(200), data={"since": ""}),
    Row("live:changes", everybody(204), data={"since": "999999999"}),
    Row("live:changes", everybody(400), data={"seen": "x"}),
    Row("live:changes", everybody(400), data={"since": "-1"}),
    Row("live:changes", everybody(405), method="post"),
]
