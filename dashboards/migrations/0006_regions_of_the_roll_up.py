from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0005_executive_mail")]

    operations = [migrations.AddField("rollup", "regions", models.JSONField(default=list))]
