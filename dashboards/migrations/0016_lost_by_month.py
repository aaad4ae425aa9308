"""What was lost, a row of bytes a month in place of a row a cell; all of it is added up anew."""

from django.db import migrations, models

from config.one_step import InOneStep


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0015_open_by_day")]

    operations = [
        InOneStep(
            [
                migrations.DeleteModel("LostCell"),
                migrations.CreateModel(
                    "LostMonth",
                    [
                        ("month_on", models.DateField(primary_key=True, serialize=False)),
                        ("cells", models.BinaryField()),
                    ],
                ),
            ]
        ),
        migrations.RunSQL(
            [
                # Every reader of a period reads them whole: they are kept uncompressed.
                "ALTER TABLE dashboards_lostmonth ALTER COLUMN cells SET STORAGE EXTERNAL",
                "INSERT INTO dashboards_stalecell (month_on, account_id) VALUES (NULL, NULL)",
            ],
            migrations.RunSQL.noop,
        ),
    ]
