"""Whoever writes or deletes what was made of tickets and invoices marks its account: it is made again."""

from django.db import migrations

MADE = (
    "account_id measured_on derived_measures severe_ticket_count reopened_ticket_rate csat_score late_payment_days"
    " failed_payment_count chargeback_count"
).split()


def _row(of):
    return f"({', '.join(f'{of}.{name}' for name in MADE)})"


def _marking(name, event, tables, rows):
    return f"""
CREATE FUNCTION accounts_mark_made_signal_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- accounts/signals_refresh.py makes them.
    IF current_setting('perennial.makes_signals', true) IS DISTINCT FROM 'on' THEN
        INSERT INTO accounts_stalesignal (account_id, marked_at)
        SELECT DISTINCT a.id, now() FROM ({rows}) made JOIN accounts_account a ON a.id = made.account_id ORDER BY 1
        ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_made_signal_{name} AFTER {event} ON accounts_accountsignal REFERENCING {tables}
FOR EACH STATEMENT EXECUTE FUNCTION accounts_mark_made_signal_{name}();
"""


MARKS = _marking(
    "update",
    "UPDATE",
    "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "SELECT unnest(ARRAY[o.account_id, n.account_id]) AS account_id FROM old_rows o JOIN new_rows n USING (id)"
    f" WHERE o.derived_measures > 0 AND {_row('o')} IS DISTINCT FROM {_row('n')}",
) + _marking(
    "delete", "DELETE", "OLD TABLE AS old_rows", "SELECT account_id FROM old_rows WHERE derived_measures > 0"
)
NO_MARKS = """
DROP FUNCTION accounts_mark_made_signal_update() CASCADE;
DROP FUNCTION accounts_mark_made_signal_delete() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_feedback_sums")]
    operations = [migrations.RunSQL(MARKS, NO_MARKS)]
