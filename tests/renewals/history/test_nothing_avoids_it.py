"""Whatever writes, history has it: the old row, who, how, and exactly once."""

import datetime as dt
import io
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Account
from config.history import recorded_as
from renewals.history.kinds import ACCOUNT, CONTRACT, RENEWAL
from renewals.models import Contract, Renewal, TimingPolicy, TimingPolicyVersion
from tests.cast import Cast, make_renewal

Event = RENEWAL.event_model


def by_save(row: Renewal) -> None:
    row.confidence = 60
    row.save()


def by_update(row: Renewal) -> None:
    Renewal.objects.update(confidence=60)


def by_bulk_update(row: Renewal) -> None:
    row.confidence = 60
    Renewal.objects.bulk_update([row], ["confidence"])


def by_sql(row: Renewal) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET confidence = 60")


def by_upsert(row: Renewal) -> None:
    with connection.cursor() as cursor:
        columns = ", ".join(field.column for field in Renewal._meta.local_concrete_fields if not field.generated)
        cursor.execute(
            f"INSERT INTO renewals_renewal ({columns}) SELECT {columns} FROM renewals_renewal "
            "ON CONFLICT (id) DO UPDATE SET confidence = 60"
        )


def by_copy_and_merge(row: Renewal) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE brought (id bigint, confidence int) ON COMMIT DROP")
        cursor.copy_expert("COPY brought FROM STDIN", io.StringIO(f"{row.pk}\t60\n"))
        cursor.execute(
            "MERGE INTO renewals_renewal r USING brought b ON r.id = b.id "
            "WHEN MATCHED THEN UPDATE SET confidence = b.confidence"
        )
        cursor.execute("DROP TABLE brought")


@pytest.mark.parametrize("write", [by_save, by_update, by_bulk_update, by_sql, by_upsert, by_copy_and_merge])
def test_every_way_to_write_leaves_the_old_row(cast: Cast, write: Callable[[Renewal], None]) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    with recorded_as(user_id=cast.rep.pk, how="api") as batch_id:
        write(row)
    [event] = Event.objects.all()
    assert (event.pgh_obj_id, event.confidence, event.pgh_label) == (row.pk, 40, "before_update")
    assert (event.pgh_context, event.pgh_context_id) == ({"user": cast.rep.pk, "how": "api"}, batch_id)


def test_writing_what_is_there_already_leaves_nothing(cast: Cast) -> None:
    make_renewal(owner=cast.rep, confidence=60)
    by_sql(Renewal.objects.get())
    assert Event.objects.count() == 0


def test_what_nobody_signed_for_is_kept_too(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    with recorded_as(user_id=cast.rep.pk, how="cell"):
        by_save(row)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET confidence = 10")
        cursor.execute("DELETE FROM renewals_renewal")
    found = Event.objects.order_by("pgh_id").values_list("pgh_label", "confidence", "pgh_context", "pgh_context_id")
    assert list(found)[1:] == [("before_update", 60, None, None), ("before_delete", 10, None, None)]


def test_rows_that_go_with_another_are_kept(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    policy = TimingPolicy.objects.create(account=row.account)
    TimingPolicyVersion.objects.create(
        policy=policy, effective_from=dt.date(2026, 1, 1), early_days=1, grace_days=0, late_days=9
    )
    with recorded_as(user_id=cast.admin.pk, how="rule"):
        row.delete()
        Contract.objects.all().delete()
        Account.objects.all().delete()  # and with it, by cascade, its policy and the policy's version
    rule = TimingPolicyVersion._meta.get_field("events").related_model.objects.get()
    assert (rule.pgh_label, rule.late_days, rule.pgh_context["user"]) == ("before_delete", 9, cast.admin.pk)
    kinds = (RENEWAL, CONTRACT, ACCOUNT)
    assert [kind.event_model.objects.get().pgh_label for kind in kinds] == ["before_delete"] * 3


def test_bulk_statement_leaves_one_event_a_row_under_one_batch(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, confidence=number) for number in range(20)]
    with recorded_as(user_id=cast.manager.pk, how="bulk") as batch_id:
        Renewal.objects.update(confidence=99)
    found = Event.objects.filter(pgh_context_id=batch_id).order_by("confidence").values_list("pgh_obj_id", "confidence")
    assert list(found) == [(row.pk, row.confidence) for row in rows]


def test_inner_author_does_not_take_the_step_over(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    with recorded_as(user_id=cast.manager.pk, how="paste") as outer:
        with recorded_as(user_id=cast.rep.pk, how="cell") as inner:
            by_save(row)
        Renewal.objects.update(next_step="Call")
    assert inner == outer
    assert [event.pgh_context for event in Event.objects.all()] == [{"user": cast.manager.pk, "how": "paste"}] * 2


def test_refused_write_leaves_neither_change_nor_event(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    with (
        pytest.raises(IntegrityError, match="renewal_confidence"),
        transaction.atomic(),
        recorded_as(user_id=cast.rep.pk, how="cell"),
    ):
        Renewal.objects.update(confidence=101)
    assert Event.objects.count() == 0
    assert Renewal.objects.get(pk=row.pk).confidence == 40
