"""An import knows in which row and sheet of its file the headings are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("renewals", "0020_fingerprints_of_scores")]
    operations = [migrations.AddField("importbatch", "reading", models.JSONField(default=dict))]
