"""Deleting an alert deletes what was told of it, in the database: rows that an undo takes back are deleted by SQL."""

from django.db import migrations

SET = """
DO $$
DECLARE named text;
BEGIN
    SELECT conname INTO STRICT named FROM pg_constraint
    WHERE conrelid = 'engagement_notification'::regclass AND confrelid = 'engagement_alert'::regclass AND contype = 'f';
    EXECUTE format('ALTER TABLE engagement_notification DROP CONSTRAINT %I', named);
    EXECUTE format('ALTER TABLE engagement_notification ADD CONSTRAINT %I FOREIGN KEY (alert_id)'
        ' REFERENCES engagement_alert (id) {action} DEFERRABLE INITIALLY DEFERRED', named);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("engagement", "0002_schema")]

    operations = [migrations.RunSQL(SET.replace("{action}", "ON DELETE CASCADE"), SET.replace("{action}", ""))]
