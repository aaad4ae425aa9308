from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("renewals", "0020_forgotten_history"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="renewal",
            index=models.Index(fields=["currency"], name="renewal_currency"),
        ),
    ]
