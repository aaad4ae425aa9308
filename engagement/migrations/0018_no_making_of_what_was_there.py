"""What an installation starts with was made by nobody: the log tells of what people change of it."""

from django.db import migrations

EVENTS = ("flagruleevent", "alertruleevent", "mailtemplateevent", "noticeruleevent", "playbookevent")
FORGET = [
    f"DELETE FROM engagement_{events} WHERE pgh_label = 'after_insert' AND pgh_context IS NULL" for events in EVENTS
]


class Migration(migrations.Migration):
    dependencies = [("engagement", "0017_notifications_go_with_alerts")]
    operations = [migrations.RunSQL(FORGET, migrations.RunSQL.noop)]
