from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("renewals", "0017_lighter_imports")]

    operations = [migrations.AddIndex("contract", models.Index(fields=["product"], name="contract_product"))]
