"""Triggers that count what dashboards read of rows themselves: see dashboards.models.BookChange.

Imports, lines and healths may be written with triggers off; the tables that say that they were are counted too.
"""

from django.db import migrations, models

TABLES = (
    "renewals_renewal renewals_renewalscore renewals_renewalquality renewals_contract renewals_offer renewals_stage"
    " renewals_churnreason renewals_importbatch accounts_account accounts_accounthealth accounts_stalehealth"
    " accounts_accountsignal accounts_touch accounts_user accounts_team accounts_segment accounts_industry"
    " accounts_company accounts_exchangerate engagement_task engagement_flag engagement_monitoringrule"
    " renewals_timingpolicy renewals_timingpolicyversion renewals_riskfactor renewals_riskweightversion"
    " renewals_override renewals_forgottenhistory accounts_attributedefinition forecasting_likelihoodmodel"
    " forecasting_forecastline forecasting_target forecasting_run forecasting_snapshot forecasting_callrecord"
    " forecasting_paymentfit dashboards_absence dashboards_holiday dashboards_capacityterms dashboards_plannedcustomers"
    " dashboards_renewalhours"
).split()
COUNT = """
CREATE FUNCTION dashboards_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_bookchange (count) VALUES (1);
    RETURN NULL;
END $$
"""
COUNTED = [
    f"CREATE TRIGGER dashboards_counted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION dashboards_count_change()"
    for table in TABLES
]


class Migration(migrations.Migration):
    dependencies = [
        ("dashboards", "0006_regions_of_the_roll_up"),
        ("accounts", "0014_order_by_health"),
        ("renewals", "0018_contracts_by_product"),
        ("forecasting", "0017_recurring_value_by_cohort"),
        ("engagement", "0019_mail_images"),
    ]
    operations = [
        migrations.CreateModel(
            "BookChange",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("count", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL([COUNT, *COUNTED], ["DROP FUNCTION dashboards_count_change() CASCADE"]),
    ]
