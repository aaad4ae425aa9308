"""Scores carry 64 bits by which a run knows its own again; whoever writes one otherwise takes them away."""

from django.db import migrations, models

DERIVED = (
    "account_id timing_class timing_days risk_score likelihood likelihood_count probability mean_cents mean_upsell_cents"
    " mean_cross_sell_cents completeness contributions"
).split()


def _row(of):
    return f"ROW({', '.join(f'{of}.{name}' for name in DERIVED)})"


FORGET = f"""
CREATE FUNCTION renewals_forget_fingerprint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.fingerprint := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER forget_fingerprint BEFORE UPDATE ON renewals_renewalscore FOR EACH ROW
WHEN (NEW.fingerprint = OLD.fingerprint AND {_row('NEW')} IS DISTINCT FROM {_row('OLD')})
EXECUTE FUNCTION renewals_forget_fingerprint();
"""
REMEMBER = """
DROP TRIGGER forget_fingerprint ON renewals_renewalscore;
DROP FUNCTION renewals_forget_fingerprint();
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0019_churn_reason_by_due_day")]
    operations = [
        migrations.AddField("renewalscore", "fingerprint", models.BigIntegerField(editable=False, null=True)),
        migrations.RunSQL(FORGET, REMEMBER),
    ]
