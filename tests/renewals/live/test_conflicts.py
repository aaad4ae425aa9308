"""Two people and one cell: what a conflict shows, and that neither another field nor a recompute ever makes one."""

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.http import HttpResponse

from accounts.models import AccountSignal, get_company
from renewals.models import ChurnReason, Offer, Renewal, RenewalScore, Stage
from tests.cast import Cast, make_renewal
from tests.renewals.bulk.bulk_book import confirmed, planned, verdicts
from tests.renewals.test_update import versions_in


def post(cast: Cast, name: str, row: Renewal, field: str, value: str, was: str) -> HttpResponse:
    data = {"value": value, "was": was}
    return cast.client_of(name).post(f"/renewals/{row.pk}/{field}/", data, headers={"HX-Request": "true"})


def test_a_conflict_names_what_was_there_as_people_read_it(cast: Cast) -> None:
    """By field: the cell as it was opened, what a manager makes of it, what the rep typed, and the three as shown."""
    offers = [Offer.objects.create(name=name) for name in ("Core", "Plus", "Max")]
    stages = list(Stage.objects.order_by("position")[:3])
    reason = ChurnReason.objects.get(name="Price")
    cases = {
        "stage": ([str(stage.pk) for stage in stages], [stage.name for stage in stages]),
        "offer": ([str(offer.pk) for offer in offers], ["Core", "Plus", str(offers[2].pk)]),
        "forecast_amount": (["1000.00", "2000", "3000"], ["1,000", "2,000", "3000"]),
        "expected_order_on": (["", "2026-12-01", "2026-12-02"], ["nothing", "01 Dec 2026", "2026-12-02"]),
        "next_step": (["<b>", "Call", "Write"], ["&lt;b&gt;", "Call", "Write"]),
        "owner": ([str(cast.rep.pk), str(cast.team_mate.pk), str(cast.manager.pk)], ["Rhea Rep", "Tom Mate"]),
    }
    for field, (values, read) in cases.items():
        column = {"stage": "stage_id", "offer": "offer_id", "owner": "owner_id"}.get(field, field)
        renewal = make_renewal(owner=cast.rep)
        Renewal.objects.filter(pk=renewal.pk).update(**{column: values[0] or None})
        assert post(cast, "manager", renewal, field, values[1], values[0]).status_code == 200, field
        response = post(cast, "manager", renewal, field, values[2], values[0])
        assert (response.status_code, versions_in(response.content.decode())[: len(read)]) == (409, read), field
    renewal = make_renewal(owner=cast.rep, outcome="lost", churn_reason=reason, final_amount=Decimal(0))
    response = post(cast, "manager", renewal, "outcome", "open", "renewed//12000.00")
    assert versions_in(response.content.decode()) == ["Renewed", "Lost (Price)", "Open"]
    response = post(cast, "manager", renewal, "outcome", "open", "<no/such/value>")
    assert versions_in(response.content.decode())[0] == "&lt;no/such/value&gt;"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_recompute_never_causes_a_conflict(transactional_db: None, cast: Cast) -> None:
    """A cell that is open, a bulk edit that waits for its yes, and a step that is to be undone, with a recompute that
    changes every score in between: each is written as if nothing had happened."""
    cell, bulk, undone = (make_renewal(owner=cast.rep, confidence=10) for _ in range(3))
    rows = [cell, bulk, undone]
    call_command("recompute", stdout=io.StringIO())
    waiting = planned(cast.rep, [bulk], confidence_action="set", confidence_value="70")
    answer = post(cast, "rep", undone, "confidence", "50", "10")
    step = json.loads(answer.headers["HX-Trigger"])["toast"]["undoUrl"]
    before = dict(RenewalScore.objects.values_list("pk", "risk_score"))
    AccountSignal.objects.bulk_create(
        AccountSignal(
            account=row.account,
            measured_on=get_company().today() - dt.timedelta(days=40),
            severe_ticket_count=9,
            has_champion_left=True,
        )
        for row in rows
    )
    call_command("recompute", stdout=io.StringIO())
    after = dict(RenewalScore.objects.values_list("pk", "risk_score"))
    assert [row.pk for row in rows if before[row.pk] == after[row.pk]] == []
    assert post(cast, "rep", cell, "confidence", "30", "10").status_code == 200
    assert verdicts(confirmed(waiting)) == {bulk.pk: ("written", "")}
    assert cast.client_of("rep").post(step, headers={"HX-Request": "true"}).status_code == 200
    assert [Renewal.objects.get(pk=row.pk).confidence for row in rows] == [30, 70, 10]
