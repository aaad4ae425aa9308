import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("renewals", "0019_mean_amounts")]
    operations = [
        migrations.CreateModel(
            name="ForgottenHistory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("before", models.DateTimeField()),
                ("event_count", models.PositiveBigIntegerField()),
                ("forgotten_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"verbose_name_plural": "forgotten history", "ordering": ["-before"]},
        ),
    ]
