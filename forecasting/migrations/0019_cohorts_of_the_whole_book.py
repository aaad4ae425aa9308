"""The cohorts of the whole book, filled from those of owners and segments that there are."""

from django.db import migrations, models


FILL = """
INSERT INTO forecasting_mrrtriangle (came_on, quarter_on, amount, account_count)
SELECT came_on, quarter_on, sum(amount), sum(account_count) FROM forecasting_mrrcohort GROUP BY 1, 2
"""


class Migration(migrations.Migration):

    dependencies = [
        ('forecasting', '0018_levels_of_recurring_value'),
    ]

    operations = [
        migrations.CreateModel(
            name='MrrTriangle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('came_on', models.DateField(null=True)),
                ('quarter_on', models.DateField()),
                ('amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('account_count', models.IntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('came_on', 'quarter_on'), name='mrr_triangle_once', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
