"""How renewals stood is derived, with one row per renewal and stretch: what was noted so far is noted anew."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_tickets_and_invoices"),
        ("engagement", "0015_webhook_marks"),
        ("renewals", "0022_pages_in_history"),
    ]

    operations = [
        migrations.DeleteModel("PeerStanding"),
        migrations.CreateModel(
            name="PeerStanding",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "renewal", "stretch", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stretch", models.PositiveSmallIntegerField()),
                (
                    "band",
                    models.CharField(
                        blank=True, choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")], max_length=6
                    ),
                ),
                ("seen_on", models.DateField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "renewal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="renewals.renewal",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.segment",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="planstep",
            index=models.Index(fields=["account"], name="plan_step_account"),
        ),
    ]
