"""A frozen call is not truncated away either, also by a CASCADE from what it refers to; an empty table may be."""

from django.db import migrations

TABLES = ("forecasting_snapshot", "forecasting_snapshotframe")
REFUSE_TRUNCATE = [
    """
    CREATE FUNCTION forecasting_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        is_filled boolean;
    BEGIN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO is_filled;
        IF is_filled THEN
            RAISE EXCEPTION 'A frozen call is never changed: % of % is refused.', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    *(
        f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION forecasting_refuse_truncate()"
        for table in TABLES
    ),
    *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_truncate" for table in TABLES),
]
ALLOW_TRUNCATE = [
    *(f"DROP TRIGGER refuse_truncate ON {table}" for table in TABLES),
    "DROP FUNCTION forecasting_refuse_truncate()",
]


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0009_snapshots")]
    operations = [migrations.RunSQL(REFUSE_TRUNCATE, ALLOW_TRUNCATE)]
