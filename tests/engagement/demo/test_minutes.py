"""Minutes of the demo's done tasks: most of them recorded, those of later renewals fewer."""

import datetime as dt

from django.db.models import Avg
from django.utils import timezone

from accounts.models import Segment
from engagement.demo.minutes import ROUTINE, fill_minutes
from engagement.models import Task
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import AS_OF, renewed


def test_most_done_tasks_have_minutes_and_later_renewals_fewer(cast: Cast) -> None:
    routine = make_account(owner=cast.rep, segment=Segment.objects.create(name=ROUTINE))
    for place in range(60):
        ordered_on = AS_OF - dt.timedelta(days=600 - 10 * place)
        account = routine if place % 3 == 0 else make_account(owner=cast.rep)
        row = make_renewal(owner=cast.rep, account=account, due_on=ordered_on, **renewed(12_000, ordered_on))
        fields = {"account": account, "renewal": row, "due_on": ordered_on, "estimated_minutes": 60}
        Task.objects.bulk_create(Task(title="Work", done_at=timezone.now(), **fields) for _ in range(3))
        Task.objects.create(title="To do", **fields)
    fill_minutes()
    recorded = Task.objects.filter(spent_minutes__isnull=False)
    count = recorded.count()
    assert 120 < count < 165
    assert not recorded.open().exists()
    others = recorded.exclude(account=routine)
    middle = AS_OF - dt.timedelta(days=450)
    early, late = others.filter(due_on__lt=middle), others.filter(due_on__gte=middle)
    assert early.aggregate(m=Avg("spent_minutes"))["m"] > late.aggregate(m=Avg("spent_minutes"))["m"]
    first = dict(recorded.values_list("pk", "spent_minutes"))
    Task.objects.filter(pk=min(first)).update(spent_minutes=1)
    fill_minutes()
    assert dict(recorded.values_list("pk", "spent_minutes")) == {**first, min(first): 1}
