"""A paste of more rows than a request takes is a bulk edit of its own kind."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("renewals", "0009_saved_views")]

    operations = [
        migrations.AlterField(
            model_name="bulkedit",
            name="kind",
            field=models.CharField(
                choices=[("bulk", "Bulk edit"), ("file", "Edited file"), ("paste", "Paste")], max_length=5
            ),
        ),
    ]
