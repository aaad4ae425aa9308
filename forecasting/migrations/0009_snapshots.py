"""A frozen call is never changed, nor added to."""

from django.db import migrations

TABLES = ("forecasting_snapshot", "forecasting_snapshotframe")
# ALWAYS: also where triggers are otherwise left out (session_replication_role). Who has to remove a call, under a
# retention rule, disables the trigger as the tables' owner; nothing in the product does.
REFUSE_CHANGES = [
    """
    CREATE FUNCTION forecasting_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'A frozen call is never changed: % of % is refused.', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE FUNCTION forecasting_refuse_late_frame() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM forecasting_snapshot WHERE id = NEW.snapshot_id AND made_at = now()) THEN
            RAISE EXCEPTION 'A frozen call is never added to.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER refuse_late_frame BEFORE INSERT ON forecasting_snapshotframe"
    " FOR EACH ROW EXECUTE FUNCTION forecasting_refuse_late_frame()",
    "ALTER TABLE forecasting_snapshotframe ENABLE ALWAYS TRIGGER refuse_late_frame",
    *(
        f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION forecasting_refuse_change()"
        for table in TABLES
    ),
    *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_change" for table in TABLES),
]
ALLOW_CHANGES = [
    *(f"DROP TRIGGER refuse_change ON {table}" for table in TABLES),
    "DROP TRIGGER refuse_late_frame ON forecasting_snapshotframe",
    "DROP FUNCTION forecasting_refuse_change()",
    "DROP FUNCTION forecasting_refuse_late_frame()",
]


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0002_staging")]
    operations = [migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES)]
