"""One look for the causes of alerts: where nothing is new, after edits, and after a run; then telling of many."""

from __future__ import annotations

import time

from django.db import connection

from accounts.models import Ticket, User, get_company
from bench.figures import Figure, median_ms, seconds
from engagement.alerts.reads import count_unread
from engagement.alerts.sending import send_due
from engagement.alerts.watch import look_for_causes
from engagement.models import Alert, AlertPass, Notification, Subscription
from forecasting.models import FreshScore
from renewals.models import Renewal

EDITS = 1_000
TICKETS = """
INSERT INTO accounts_ticket (account_id, external_id, category, severity, opened_on, reopened_count, reporter, subject,
    theme, updated_at)
SELECT DISTINCT ON (account_id) account_id, 'alert-' || account_id, 'bug', 'urgent', %s, 0, '', 'Down', '', now()
FROM renewals_renewal WHERE outcome = 'open' AND due_on < %s::date + 90 ORDER BY account_id LIMIT %s
"""


def measure(count: int) -> list[Figure]:
    """A scored book. Every rule is on; everybody is told of all that they see, by mail at once."""
    first = seconds(look_for_causes)
    nothing = median_ms(look_for_causes, times=9, warm_up=2)
    AlertPass.objects.update(observed_run_id=0)
    after_run = seconds(look_for_causes)
    edited = list(Renewal.objects.open().values_list("pk", flat=True)[:EDITS])
    FreshScore.objects.bulk_create(FreshScore(renewal_id=pk) for pk in edited)
    after_edits = seconds(look_for_causes) * 1000
    rules = Alert.objects.values_list("rule", flat=True).distinct()
    readers = list(User.objects.filter(is_active=True))
    Subscription.objects.bulk_create(
        Subscription(user=reader, rule_id=rule, scope="seen", mail="at_once")
        for reader in readers
        for rule in set(rules)
    )
    with connection.cursor() as cursor:
        today = get_company().today()
        cursor.execute(TICKETS, [today, today, EDITS])
    raised = seconds(look_for_causes)
    told = Notification.objects.count()
    sending = seconds(send_due)
    started = time.perf_counter()
    for reader in readers:
        count_unread(reader)
    bell = (time.perf_counter() - started) * 1000 / max(len(readers), 1)
    what = f"alerts, {count:,} renewals: "
    return [
        Figure(f"{what}a rule's first look at all", first, "s"),
        Figure(f"{what}a look where nothing is new", nothing, "ms", bar=1000),
        Figure(f"{what}a look after {len(edited):,} edits", after_edits, "ms"),
        Figure(f"{what}a look after a run", after_run, "s"),
        Figure(f"{Ticket.objects.filter(subject='Down').count():,} severe tickets raised, {told:,} told", raised, "s"),
        Figure("these into the outbox of mail", sending, "s"),
        Figure("the bell's number", bell, "ms", bar=20),
    ]
