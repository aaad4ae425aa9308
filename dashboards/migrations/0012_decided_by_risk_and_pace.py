"""What is decided, by owner, segment and risk band, and how periods fill up.

A decided row whose band an edit changes marks its months too, as an open one that is scored anew marks its month.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from config.one_step import InOneStep

HIGH_FROM, MEDIUM_FROM, LAPSED = 40, 25, 3


def _band(alias):
    score = f"{alias}.risk_score"
    return f"({score} IS NULL, {score} >= {MEDIUM_FROM}, {score} >= {HIGH_FROM})"


BEFORE = "OLD.edit_count <> NEW.edit_count AND OLD.timing_class <> NEW.timing_class"
NOW = (
    "OLD.edit_count <> NEW.edit_count AND (OLD.timing_class <> NEW.timing_class"
    f" OR NEW.timing_class >= {LAPSED} AND {_band('OLD')} IS DISTINCT FROM {_band('NEW')})"
)


def _trigger(condition):
    return [
        "DROP TRIGGER dashboards_score_update ON renewals_renewalscore",
        "CREATE TRIGGER dashboards_score_update AFTER UPDATE ON renewals_renewalscore FOR EACH ROW"
        f" WHEN ({condition}) EXECUTE FUNCTION dashboards_mark_score_update()",
    ]


def _key(to):
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
    )


LIKELY = """
CREATE FUNCTION dashboards_mark_likely() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_stalelikely (month_on)
    SELECT DISTINCT date_trunc('month', r.due_on)::date FROM new_rows n
    JOIN renewals_renewal r ON r.id = n.renewal_id WHERE r.outcome = 'open';
    RETURN NULL;
END $$
"""
SCORED = (
    "CREATE TRIGGER dashboards_mark_likely AFTER INSERT ON forecasting_freshscore REFERENCING NEW TABLE AS new_rows"
    " FOR EACH STATEMENT EXECUTE FUNCTION dashboards_mark_likely()"
)


def _id():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def _cents():
    return django.contrib.postgres.fields.ArrayField(models.BigIntegerField(), size=None)


def _once(name, *fields):
    constraint = models.UniqueConstraint(fields=list(fields), nulls_distinct=False, name=name)
    return {"constraints": [constraint]}


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0011_what_open_ones_bring")]

    operations = [
        InOneStep(
            [
                migrations.CreateModel(
                    "MixCell",
                    [
                        ("id", _id()),
                        ("owner", _key(settings.AUTH_USER_MODEL)),
                        ("segment", _key("accounts.segment")),
                        ("band", models.SmallIntegerField()),
                        ("month_on", models.DateField()),
                        ("count", models.IntegerField()),
                        ("baseline_cents", models.BigIntegerField()),
                        ("kept_cents", models.BigIntegerField()),
                        ("squares", models.FloatField()),
                    ],
                    options=_once("mix_cell_once", "month_on", "owner", "segment", "band"),
                ),
                migrations.CreateModel(
                    "Pace",
                    [
                        ("id", _id()),
                        ("grain", models.CharField(max_length=7)),
                        ("starts_on", models.DateField()),
                        ("segment", _key("accounts.segment")),
                        ("currency", models.CharField(max_length=3)),
                        ("from_start_cents", _cents()),
                        ("to_end_cents", _cents()),
                    ],
                    options=_once("pace_once", "grain", "starts_on", "segment", "currency"),
                ),
                migrations.CreateModel(
                    "LikelyCell",
                    [
                        ("id", _id()),
                        ("month_on", models.DateField()),
                        ("segment", _key("accounts.segment")),
                        ("currency", models.CharField(max_length=3)),
                        ("cents", models.BigIntegerField()),
                    ],
                    options=_once("likely_cell_once", "month_on", "segment", "currency"),
                ),
                migrations.CreateModel("StaleLikely", [("id", _id()), ("month_on", models.DateField())]),
            ]
        ),
        migrations.RunSQL(
            [
                *_trigger(NOW),
                LIKELY,
                SCORED,
                "INSERT INTO dashboards_stalecell (month_on, account_id) VALUES (NULL, NULL)",
            ],
            [*_trigger(BEFORE), "DROP FUNCTION dashboards_mark_likely() CASCADE"],
        ),
    ]
