"""What stored lines were computed from, and the lines of a chunk staged by quarter: only those that differ are read."""

from django.db import migrations, models

STAGE = """
DROP TABLE forecasting_stagedframe;
CREATE UNLOGGED TABLE forecasting_stagedframe (
    chunk_id bigint PRIMARY KEY,
    scores bytea NOT NULL
);
CREATE UNLOGGED TABLE forecasting_stagedlines (
    quarter bigint NOT NULL,
    chunk_id bigint NOT NULL,
    row_count bigint NOT NULL,
    open_count bigint NOT NULL,
    rows_hash bigint NOT NULL,
    rows bytea NOT NULL,
    PRIMARY KEY (quarter, chunk_id)
);
ALTER TABLE forecasting_stagedframe ALTER COLUMN scores SET STORAGE EXTERNAL;
ALTER TABLE forecasting_stagedlines ALTER COLUMN rows SET STORAGE EXTERNAL;
-- What was staged before cannot be read any more: a run that is under way stages it anew.
UPDATE forecasting_runchunk SET staged_at = NULL;
"""
UNSTAGE = """
DROP TABLE forecasting_stagedlines;
DROP TABLE forecasting_stagedframe;
CREATE UNLOGGED TABLE forecasting_stagedframe (
    chunk_id bigint PRIMARY KEY,
    lines bytea NOT NULL,
    scores bytea NOT NULL
);
ALTER TABLE forecasting_stagedframe ALTER COLUMN lines SET STORAGE EXTERNAL;
ALTER TABLE forecasting_stagedframe ALTER COLUMN scores SET STORAGE EXTERNAL;
UPDATE forecasting_runchunk SET staged_at = NULL;
"""
FORGET = [
    """
    CREATE FUNCTION forecasting_forget_line_source() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM forecasting_linesource s USING (SELECT DISTINCT starts_on FROM changed) c
        WHERE c.starts_on >= s.starts_on AND c.starts_on < s.starts_on + INTERVAL '3 months';
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION forecasting_forget_line_sources() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM forecasting_linesource;
        RETURN NULL;
    END $$
    """,
    *(
        f"CREATE TRIGGER forget_source_{name} AFTER {event} ON forecasting_forecastline {referencing}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        for name, event, referencing, function in (
            ("insert", "INSERT", "REFERENCING NEW TABLE AS changed", "forecasting_forget_line_source"),
            ("delete", "DELETE", "REFERENCING OLD TABLE AS changed", "forecasting_forget_line_source"),
            ("update_from", "UPDATE", "REFERENCING OLD TABLE AS changed", "forecasting_forget_line_source"),
            ("update_to", "UPDATE", "REFERENCING NEW TABLE AS changed", "forecasting_forget_line_source"),
            ("truncate", "TRUNCATE", "", "forecasting_forget_line_sources"),
        )
    ),
    # Lines are written without the checks of foreign keys, and with them most triggers are off.
    *(
        f"ALTER TABLE forecasting_forecastline ENABLE ALWAYS TRIGGER forget_source_{name}"
        for name in ("insert", "delete", "update_from", "update_to", "truncate")
    ),
]
REMEMBER = [
    "DROP FUNCTION forecasting_forget_line_source() CASCADE",
    "DROP FUNCTION forecasting_forget_line_sources() CASCADE",
]


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0019_cohorts_of_the_whole_book")]
    operations = [
        migrations.CreateModel(
            "LineSource",
            [
                ("starts_on", models.DateField(primary_key=True, serialize=False)),
                ("source_hash", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(FORGET, REMEMBER),
        migrations.RunSQL(STAGE, UNSTAGE),
    ]
