"""What the demo's capacity is reckoned by: said once, by segment and stage, and never over what people set."""

from decimal import Decimal

from accounts.models import Segment, get_company
from dashboards.capacity.demo import LEFT, fill_capacity
from dashboards.capacity.reads import WhatIf, hours_by, read_book, read_hours
from dashboards.models import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours
from renewals.models import Stage
from tests.cast import Cast, make_account, make_renewal


def test_demo_says_what_work_takes_and_who_is_away(cast: Cast) -> None:
    segment = Segment.objects.create(name="Enterprise")
    stage, _ = Stage.objects.get_or_create(name="Verbal yes", defaults={"position": 90, "forecast_category": "commit"})
    fill_capacity()
    hours = hours_by(read_hours())
    assert hours(segment.pk, None) == 17
    assert hours(segment.pk, stage.pk) == Decimal("5.95") == 17 * LEFT["Verbal yes"]
    assert (Holiday.objects.count(), Absence.objects.exists(), PlannedCustomers.objects.exists()) == (8, True, True)
    RenewalHours.objects.all().delete()
    CapacityTerms.objects.update(support_hours=1)
    fill_capacity()
    assert not RenewalHours.objects.exists()


def test_support_of_an_account_counts_once_however_many_renewals_it_has(cast: Cast) -> None:
    """A manager sees an account by its renewals, and an admin all of them: both are told the same."""
    account = make_account(owner=cast.rep)
    for _ in range(3):
        make_renewal(owner=cast.rep, account=account)
    CapacityTerms.objects.create(pk=1, support_hours=1)
    for reader in (cast.admin, cast.manager):
        book = read_book(reader, get_company().today(), team=cast.rep.team, owner=None, what_if=WhatIf())
        at = book.index_of(cast.rep.pk)
        assert at is not None
        assert book.load_by_kind("Support", [at])[0] == 1.0
