"""Plans, their steps, and the playbooks that they are run by."""

from django.core.files.uploadedfile import SimpleUploadedFile

from engagement.models import Plan, Playbook
from engagement.plans.drafts import StepDraft
from engagement.plans.services import start_plan
from renewals.models import Renewal
from tests.cast import Cast
from tests.engagement.plans.plan_book import make_playbook, make_scored, today
from tests.permissions import Row, everybody, only

STEPS = [StepDraft("Call"), StepDraft("Write"), StepDraft("Wait", waits_for=[1])]
SEEN = everybody(200, outsider=404, other_manager=404)
EDITED = only("admin", "manager", "rep", status=302, outsider=404, other_manager=404)
INVALID = only("admin", "manager", "rep", status=422, outsider=404, other_manager=404)
BLOCK = {
    "step-1-title": "Call", "step-1-owner": "renewal", "step-1-days": "0", "step-1-when": "start",
    "step-1-minutes": "30", "step-1-outcome": "none",
}  # fmt: skip
BOOK = {"count": "1", "book-name": "Ours", "book-kind": "renewal", "book-days": "90", **BLOCK}


def plan(cast: Cast) -> int:
    """Of the rep's, with three steps of theirs."""
    if Plan.objects.exists():
        return Plan.objects.get().pk
    row = Renewal.objects.select_related("score", "owner").get(pk=make_scored(cast.rep).pk)
    version = make_playbook(cast, use="hand", steps=STEPS)
    return start_plan(user=cast.rep, renewal=row, version=version, as_of=today()).pk


def renewal(cast: Cast) -> int:
    return make_scored(cast.rep).pk


def version(cast: Cast) -> int:
    return make_playbook(cast, use="hand", steps=STEPS).pk


def playbook(cast: Cast) -> int:
    return Playbook.objects.get(name="Renew in 180 days").pk


def owner(cast: Cast) -> int:
    return cast.team_mate.pk


def step(number: int = 1) -> dict[str, object]:
    return {"pk": plan, "number": number}


ROWS = [
    Row("plans:list", everybody(200)),
    Row("plans:effect", everybody(200)),
    Row("plans:page", SEEN, {"pk": plan}),
    Row("plans:of_renewal", SEEN, {"renewal_id": renewal}),
    Row("plans:start", only("admin", "manager", "rep", outsider=404, other_manager=404), {"renewal_id": renewal}),
    Row("plans:start", EDITED, {"renewal_id": renewal}, "post", {"version": version}),
    Row("plans:start", INVALID, {"renewal_id": renewal}, "post", {"version": "0"}),
    Row("plans:owner", EDITED, {"pk": plan}, "post", {"owner": owner}),
    Row("plans:owner", INVALID, {"pk": plan}, "post", {"owner": "0"}),
    Row("plans:close", EDITED, {"pk": plan}, "post", {"outcome": "reached"}),
    Row("plans:close", INVALID, {"pk": plan}, "post", {"outcome": "renewed"}),
    Row("plans:add_step", only("admin", "manager", "rep", outsider=404, other_manager=404), {"pk": plan}),
    Row("plans:add_step", EDITED, {"pk": plan}, "post", {"title": "New", "owner": owner, "due_on": "2099-01-01"}),
    Row("plans:add_step", INVALID, {"pk": plan}, "post", {"title": "New", "owner": owner, "due_on": "2020-01-01"}),
    Row("plans:edit_step", only("admin", "manager", "rep", outsider=404, other_manager=404), step()),
    Row("plans:edit_step", EDITED, step(), "post", {"title": "New", "owner": owner, "due_on": "2099-01-01"}),
    Row("plans:check", EDITED, step(), "post", {"checked": "0"}),
    Row("plans:finish", EDITED, step(), "post"),
    Row("plans:finish", INVALID, step(3), "post"),
    Row("plans:reopen", INVALID, step(), "post"),
    Row("plans:remove_step", EDITED, step(), "post"),
    Row("plans:move_step", EDITED, {**step(), "direction": "down"}, "post"),
    Row("playbooks:list", only("admin")),
    Row("playbooks:new", only("admin")),
    Row("playbooks:new", only("admin", status=302), method="post", data=BOOK),
    Row("playbooks:new", only("admin", status=422), method="post", data={**BOOK, "step-1-days": "-1"}),
    Row("playbooks:edit", only("admin"), {"pk": playbook}),
    Row("playbooks:edit", only("admin", status=409), {"pk": playbook}, "post", {**BOOK, "seen": "7"}),
    Row("playbooks:file", only("admin"), {"pk": playbook}),
    Row("playbooks:upload", only("admin", status=422), method="post"),
    Row(
        "playbooks:upload", only("admin", status=422), method="post",
        data={"file": lambda cast: SimpleUploadedFile("book.json", b"[]")},
    ),
    Row("playbooks:use", only("admin", status=302), {"pk": playbook}, "post", {"use": "rule"}),
    Row("playbooks:use", only("admin", status=422), {"pk": playbook}, "post", {"use": "ever"}),
    Row("playbooks:delete", only("admin", status=302), {"pk": playbook}, "post"),
]  # fmt: skip
