from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("renewals", "0005_data_quality")]
    operations = [
        # A file is kept for a month at most, and to compress it took longer than to write it as it is.
        migrations.RunSQL(
            "ALTER TABLE renewals_importpart ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE renewals_importpart ALTER COLUMN content SET STORAGE EXTENDED",
        ),
    ]
