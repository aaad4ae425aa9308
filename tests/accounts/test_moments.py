"""Moments say the company's time, whichever page they stand on."""

import datetime as dt

from accounts.models import Company
from config.history import recorded_as
from renewals.models import Export, Renewal
from tests.cast import Cast, make_renewal

KATHMANDU = dt.timedelta(hours=5, minutes=45)


def test_a_page_and_a_conflict_say_the_company_s_time(cast: Cast) -> None:
    Company.objects.update(time_zone="Asia/Kathmandu")
    renewal = make_renewal(owner=cast.rep, confidence=50)
    client = cast.client_of("rep")
    Export.objects.create(requested_by=cast.rep, format="csv")
    Export.objects.update(requested_at=dt.datetime(2026, 11, 21, 20, 30, tzinfo=dt.UTC))
    assert "22 Nov 2026, 02:15" in client.get("/exports/").content.decode()
    with recorded_as(user_id=cast.manager.pk, how="cell"):
        Renewal.objects.filter(pk=renewal.pk).update(confidence=70)
    changed_at = renewal.events.get().pgh_created_at + KATHMANDU  # type: ignore[attr-defined]
    answer = client.post(f"/renewals/{renewal.pk}/confidence/", {"value": "60", "was": "50"})
    assert answer.status_code == 409
    assert f"</b> changed it at {changed_at:%H:%M on %d %b}." in answer.content.decode()
