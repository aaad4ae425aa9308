"""The decision-date queue, and the calendar address that is its own permission."""

from renewals.queue.feeds import make_feed
from tests.cast import Cast
from tests.permissions import Row, everybody

OWNERS = everybody(200, viewer=403, auditor=403)


def token(cast: Cast) -> str:
    return make_feed(user=cast.rep)


ROWS = [
    Row("queue:list", everybody(200)),
    Row("queue:totals", everybody(200)),
    Row("queue:filter", everybody(200), kwargs={"name": "stage"}),
    Row("queue:filter", everybody(404), kwargs={"name": "outcome"}),
    Row("queue:feed_page", OWNERS),
    Row("queue:feed_make", OWNERS, method="post"),
    Row("queue:feed_make", everybody(405), method="get"),
    Row("queue:feed_revoke", everybody(302, viewer=403, auditor=403), method="post"),
    Row("queue:feed", everybody(200, anonymous=200), kwargs={"token": token}),
    Row("queue:feed", everybody(404, anonymous=404), kwargs={"token": "A" * 43}),
]
