from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_starting_health")]

    operations = [
        migrations.AddIndex(
            model_name="accounthealth",
            index=models.Index(
                condition=models.Q(("score__isnull", False)), fields=["score", "account"], name="account_health_score"
            ),
        )
    ]
