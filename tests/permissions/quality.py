"""Data quality: everybody sees the worklist of their own scope; only admins see and write the rules."""

from renewals.models import Renewal
from renewals.quality.evaluate import evaluate_renewals
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only


def broken(cast: Cast) -> int:
    """A renewal of the rep whose confidence contradicts its stage (40 %)."""
    renewal: Renewal = make_renewal(owner=cast.rep, confidence=95)
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=renewal.due_on)
    return renewal.pk


# Who may know of the rep's renewal, and who may edit it.
SEEN = everybody(200, outsider=404, other_manager=404)
EDITED = everybody(403, admin=200, manager=200, rep=200, outsider=404, other_manager=404)
FIX = {"pk": broken, "rule_id": 5}
MENDED = {"value": "40", "seen": "95"}
RULE = {"name": "Stale", "severity": "1", "asked": "owner", "fix": "", "days": "3", "is_active": "on"}

ROWS = [
    Row("quality:list", everybody(200)),
    Row("quality:summary", everybody(200)),
    Row("quality:accounts", everybody(200)),
    Row("quality:trend", everybody(200)),
    Row("quality:row", SEEN, kwargs={"pk": broken}),
    Row("quality:fix", EDITED, kwargs=FIX, method="post", data=MENDED, headers={"HX-Request": "true"}),
    Row("quality:fix", everybody(405), kwargs={"pk": 1, "rule_id": 5}),
    Row("quality:rules", only("admin")),
    Row("quality:new_rule", only("admin"), kwargs={"condition": "field_empty"}),
    Row("quality:new_rule", only("admin"), kwargs={"condition": "stale_next_step"}, method="post", data=RULE),
    Row(
        "quality:new_rule",
        only("admin", status=302),
        kwargs={"condition": "stale_next_step"},
        method="post",
        data=RULE | {"confirm": "yes"},
    ),
    Row("quality:edit_rule", only("admin"), kwargs={"pk": 5}),
    Row(
        "quality:edit_rule",
        only("admin", status=302),
        kwargs={"pk": 11},
        method="post",
        data=RULE | {"confirm": "yes"},
    ),
]
