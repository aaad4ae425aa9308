from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0011_backtests")]

    operations = [
        migrations.CreateModel(
            name="CallRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("as_of_on", models.DateField()),
                ("run_id", models.BigIntegerField()),
                ("measured_at", models.DateTimeField()),
                ("content", models.JSONField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="call_record_once")],
            },
        ),
    ]
