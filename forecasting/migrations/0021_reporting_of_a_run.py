from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0020_line_sources")]
    operations = [migrations.AddField("run", "reporting", models.JSONField(null=True))]
