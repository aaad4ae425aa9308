"""The tables of dashboards in one step."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from config.one_step import InOneStep


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_starting_health'),
        ('renewals', '0017_lighter_imports'),
    ]

    operations = [InOneStep([
        migrations.CreateModel(
            name='StaleCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month_on', models.DateField(null=True)),
                ('account_id', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RollUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.BigIntegerField()),
                ('as_of_on', models.DateField()),
                ('rolled_up_at', models.DateTimeField()),
                ('fiscal_start', models.SmallIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('rates', models.JSONField(default=dict)),
                ('unrated', models.JSONField(default=dict)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='dashboard_roll_up_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Cell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.SmallIntegerField(choices=[(0, 'Whole book'), (1, 'Team'), (2, 'Owner')])),
                ('month_on', models.DateField()),
                ('due_count', models.BigIntegerField(default=0)),
                ('due_cents', models.BigIntegerField(default=0)),
                ('renewed_count', models.BigIntegerField(default=0)),
                ('renewed_baseline_cents', models.BigIntegerField(default=0)),
                ('kept_cents', models.BigIntegerField(default=0)),
                ('renewed_cents', models.BigIntegerField(default=0)),
                ('kept_in_time_cents', models.BigIntegerField(default=0)),
                ('upsell_cents', models.BigIntegerField(default=0)),
                ('cross_sell_cents', models.BigIntegerField(default=0)),
                ('downsell_cents', models.BigIntegerField(default=0)),
                ('lost_count', models.BigIntegerField(default=0)),
                ('lost_cents', models.BigIntegerField(default=0)),
                ('lapsed_count', models.BigIntegerField(default=0)),
                ('lapsed_cents', models.BigIntegerField(default=0)),
                ('win_back_count', models.BigIntegerField(default=0)),
                ('win_back_cents', models.BigIntegerField(default=0)),
                ('open_count', models.BigIntegerField(default=0)),
                ('open_cents', models.BigIntegerField(default=0)),
                ('past_due_count', models.BigIntegerField(default=0)),
                ('past_due_cents', models.BigIntegerField(default=0)),
                ('early_count', models.BigIntegerField(default=0)),
                ('early_cents', models.BigIntegerField(default=0)),
                ('on_time_count', models.BigIntegerField(default=0)),
                ('on_time_cents', models.BigIntegerField(default=0)),
                ('late_count', models.BigIntegerField(default=0)),
                ('late_cents', models.BigIntegerField(default=0)),
                ('in_month_cents', models.BigIntegerField(default=0)),
                ('in_quarter_cents', models.BigIntegerField(default=0)),
                ('before_month_cents', models.BigIntegerField(default=0)),
                ('before_quarter_cents', models.BigIntegerField(default=0)),
                ('month_accounts', models.BigIntegerField(default=0)),
                ('quarter_accounts', models.BigIntegerField(default=0)),
                ('renewed_month_accounts', models.BigIntegerField(default=0)),
                ('renewed_quarter_accounts', models.BigIntegerField(default=0)),
                ('ordered_count', models.BigIntegerField(default=0)),
                ('ordered_kept_cents', models.BigIntegerField(default=0)),
                ('ordered_renewed_cents', models.BigIntegerField(default=0)),
                ('ordered_in_time_cents', models.BigIntegerField(default=0)),
                ('ordered_month_accounts', models.BigIntegerField(default=0)),
                ('ordered_quarter_accounts', models.BigIntegerField(default=0)),
                ('ordered_overdue_month_cents', models.BigIntegerField(default=0)),
                ('ordered_overdue_quarter_cents', models.BigIntegerField(default=0)),
                ('ordered_ahead_month_cents', models.BigIntegerField(default=0)),
                ('ordered_ahead_quarter_cents', models.BigIntegerField(default=0)),
                ('hybrid_count', models.BigIntegerField(default=0)),
                ('hybrid_kept_cents', models.BigIntegerField(default=0)),
                ('hybrid_renewed_cents', models.BigIntegerField(default=0)),
                ('hybrid_in_time_cents', models.BigIntegerField(default=0)),
                ('hybrid_month_accounts', models.BigIntegerField(default=0)),
                ('hybrid_quarter_accounts', models.BigIntegerField(default=0)),
                ('delay_counts', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('delay_kept_cents', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('age_counts', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('age_cents', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('last_due_on', models.DateField(null=True)),
                ('row_hash', models.BigIntegerField(editable=False)),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.segment')),
                ('team', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.team')),
            ],
            options={
                'indexes': [models.Index(fields=['month_on'], name='dashboard_cell_month'), models.Index(condition=models.Q(('level', 2)), fields=['owner'], name='dashboard_cell_owner')],
                'constraints': [models.UniqueConstraint(fields=('level', 'team', 'owner', 'segment', 'month_on'), name='dashboard_cell_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='LateAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.SmallIntegerField(choices=[(0, 'Whole book'), (1, 'Team'), (2, 'Owner')])),
                ('ordered_count', models.IntegerField()),
                ('late_count', models.IntegerField()),
                ('late_cents', models.BigIntegerField()),
                ('late_days', models.IntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.team')),
            ],
            options={
                'indexes': [models.Index(fields=['level', 'team', 'owner', '-late_cents', 'account'], name='late_account_largest')],
                'constraints': [models.UniqueConstraint(fields=('account', 'level', 'team', 'owner'), name='late_account_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='CapacityTermsEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('week_hours', models.DecimalField(decimal_places=2, default=Decimal('40'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours of a week')),
                ('utilisation_rate', models.DecimalField(decimal_places=4, default=Decimal('0.75'), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal('0.01')), django.core.validators.MaxValueValidator(Decimal('1'))], verbose_name='utilisation')),
                ('overhead_rate', models.DecimalField(decimal_places=4, default=Decimal('0.85'), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal('0.01')), django.core.validators.MaxValueValidator(Decimal('1'))], verbose_name='left after overhead')),
                ('work_weeks', models.PositiveSmallIntegerField(default=8, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(52)], verbose_name='weeks a renewal is worked on')),
                ('onboarding_hours', models.DecimalField(decimal_places=2, default=Decimal('10'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours of onboarding a customer')),
                ('onboarding_weeks', models.PositiveSmallIntegerField(default=6, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(52)], verbose_name='weeks of onboarding')),
                ('support_hours', models.DecimalField(decimal_places=2, default=Decimal('0.05'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours of support a customer and week')),
                ('hiring_weeks', models.PositiveSmallIntegerField(default=12, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(52)], verbose_name='weeks until somebody new is productive')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='dashboards.capacityterms')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='capacityterms_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='capacityterms_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='capacityterms_ev_user'), models.Index(fields=['pgh_context_id'], name='capacityterms_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='Holiday',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField(error_messages={'unique': 'This day is a holiday already.'}, unique=True, verbose_name='day')),
                ('name', models.CharField(max_length=80)),
            ],
            options={
                'ordering': ['on'],
            },
        ),
        migrations.CreateModel(
            name='HolidayEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('on', models.DateField(error_messages={'unique': 'This day is a holiday already.'}, verbose_name='day')),
                ('name', models.CharField(max_length=80)),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='dashboards.holiday')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='holiday_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='holiday_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='holiday_ev_user'), models.Index(fields=['pgh_context_id'], name='holiday_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='PlannedCustomers',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month_on', models.DateField(unique=True, verbose_name='month')),
                ('sales_count', models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(100000)], verbose_name='by sales')),
                ('marketing_count', models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(100000)], verbose_name='by marketing')),
            ],
            options={
                'verbose_name_plural': 'planned customers',
                'ordering': ['month_on'],
                'constraints': [models.CheckConstraint(condition=models.Q(('month_on__day', 1)), name='planned_customers_by_month')],
            },
        ),
        migrations.CreateModel(
            name='PlannedCustomersEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('month_on', models.DateField(verbose_name='month')),
                ('sales_count', models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(100000)], verbose_name='by sales')),
                ('marketing_count', models.PositiveIntegerField(default=0, validators=[django.core.validators.MaxValueValidator(100000)], verbose_name='by marketing')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='dashboards.plannedcustomers')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='plannedcustomers_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='plannedcustomers_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='plannedcustomers_ev_user'), models.Index(fields=['pgh_context_id'], name='plannedcustomers_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='RenewalHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hours', models.DecimalField(decimal_places=2, default=Decimal('16'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours')),
                ('segment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.segment')),
                ('stage', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='renewals.stage')),
            ],
            options={
                'verbose_name_plural': 'renewal hours',
                'constraints': [models.UniqueConstraint(fields=('segment', 'stage'), name='renewal_hours_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('hours__gte', 0), ('hours__lte', 1000)), name='renewal_hours_bounds')],
            },
        ),
        migrations.CreateModel(
            name='RenewalHoursEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('hours', models.DecimalField(decimal_places=2, default=Decimal('16'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='dashboards.renewalhours')),
                ('segment', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.segment')),
                ('stage', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='renewals.stage')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='renewalhours_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='renewalhours_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='renewalhours_ev_user'), models.Index(fields=['pgh_context_id'], name='renewalhours_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_on', models.DateField(verbose_name='from')),
                ('last_on', models.DateField(verbose_name='to')),
                ('note', models.CharField(blank=True, max_length=120)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['first_on', 'person', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_on__gte', models.F('first_on'))), name='absence_ends_after_it_begins', violation_error_message='An absence ends on the day it begins, or later.')],
            },
        ),
        migrations.CreateModel(
            name='AbsenceEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('first_on', models.DateField(verbose_name='from')),
                ('last_on', models.DateField(verbose_name='to')),
                ('note', models.CharField(blank=True, max_length=120)),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='dashboards.absence')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='absence_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='absence_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='absence_ev_user'), models.Index(fields=['pgh_context_id'], name='absence_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='CapacityTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week_hours', models.DecimalField(decimal_places=2, default=Decimal('40'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours of a week')),
                ('utilisation_rate', models.DecimalField(decimal_places=4, default=Decimal('0.75'), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal('0.01')), django.core.validators.MaxValueValidator(Decimal('1'))], verbose_name='utilisation')),
                ('overhead_rate', models.DecimalField(decimal_places=4, default=Decimal('0.85'), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal('0.01')), django.core.validators.MaxValueValidator(Decimal('1'))], verbose_name='left after overhead')),
                ('work_weeks', models.PositiveSmallIntegerField(default=8, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(52)], verbose_name='weeks a renewal is worked on')),
                ('onboarding_hours', models.DecimalField(decimal_places=2, default=Decimal('10'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours of onboarding a customer')),
                ('onboarding_weeks', models.PositiveSmallIntegerField(default=6, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(52)], verbose_name='weeks of onboarding')),
                ('support_hours', models.DecimalField(decimal_places=2, default=Decimal('0.05'), max_digits=6, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='hours of support a customer and week')),
                ('hiring_weeks', models.PositiveSmallIntegerField(default=12, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(52)], verbose_name='weeks until somebody new is productive')),
            ],
            options={
                'verbose_name_plural': 'capacity terms',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='capacity_terms_is_one_row'), models.CheckConstraint(condition=models.Q(('week_hours__gt', 0), ('week_hours__lte', 168)), name='capacity_week_hours', violation_error_message='A week has more than 0 and up to 168 hours.'), models.CheckConstraint(condition=models.Q(('overhead_rate__gt', 0), ('overhead_rate__lte', 1), ('utilisation_rate__gt', 0), ('utilisation_rate__lte', 1)), name='capacity_rates', violation_error_message='Utilisation and what is left after overhead are above 0 and up to 100 %%.')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holiday',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_holidayevent" ("id", "name", "on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."id", new_values."name", new_values."on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='95783f929d0cf59c2bfc17297a8b2f1cd05a67c7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_c22cc', referencing='REFERENCING NEW TABLE AS new_values ', table='dashboards_holiday', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holiday',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_holidayevent" ("id", "name", "on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."name", old_values."on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='103414fba424f910d0ff1c3a1fc2b8077c09d864', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_71fc1', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='dashboards_holiday', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='holiday',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_holidayevent" ("id", "name", "on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."name", old_values."on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='a32dcfb6821f67e9974d740a8dec32b529f1fb1a', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_f3ec1', referencing='REFERENCING OLD TABLE AS old_values ', table='dashboards_holiday', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plannedcustomers',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_plannedcustomersevent" ("id", "marketing_count", "month_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sales_count") SELECT new_values."id", new_values."marketing_count", new_values."month_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."sales_count" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='9bed5b09eef220739914a1bf459a475ebcc50713', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_72c35', referencing='REFERENCING NEW TABLE AS new_values ', table='dashboards_plannedcustomers', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plannedcustomers',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_plannedcustomersevent" ("id", "marketing_count", "month_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sales_count") SELECT old_values."id", old_values."marketing_count", old_values."month_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."sales_count" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='da778ecf0ddc76656179cbcfd35fe1540b370c54', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_b87bd', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='dashboards_plannedcustomers', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='plannedcustomers',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_plannedcustomersevent" ("id", "marketing_count", "month_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "sales_count") SELECT old_values."id", old_values."marketing_count", old_values."month_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."sales_count" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='542be5ac2a10d0cee7c128f88c57a31f452d2cae', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_2d8eb', referencing='REFERENCING OLD TABLE AS old_values ', table='dashboards_plannedcustomers', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='renewalhours',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_renewalhoursevent" ("hours", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_id", "stage_id") SELECT new_values."hours", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."segment_id", new_values."stage_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='a4f6f01a71dfaaa983852f40078e66067710d385', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_a4306', referencing='REFERENCING NEW TABLE AS new_values ', table='dashboards_renewalhours', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='renewalhours',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_renewalhoursevent" ("hours", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_id", "stage_id") SELECT old_values."hours", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."segment_id", old_values."stage_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='e4715fbc48a586d25d1fb98ffbc4f14d6a420b68', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_05580', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='dashboards_renewalhours', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='renewalhours',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_renewalhoursevent" ("hours", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_id", "stage_id") SELECT old_values."hours", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."segment_id", old_values."stage_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='0c1c7f703c61d94ed40785466b256655a922fce8', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_59c7d', referencing='REFERENCING OLD TABLE AS old_values ', table='dashboards_renewalhours', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='absence',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_absenceevent" ("first_on", "id", "last_on", "note", "person_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."first_on", new_values."id", new_values."last_on", new_values."note", new_values."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='f8cccea48603c4f22969f760049c42499129c50d', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_d662d', referencing='REFERENCING NEW TABLE AS new_values ', table='dashboards_absence', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='absence',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_absenceevent" ("first_on", "id", "last_on", "note", "person_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."first_on", old_values."id", old_values."last_on", old_values."note", old_values."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='f3a4f91f59625471dda2e70049e19fccc3496fea', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_75226', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='dashboards_absence', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='absence',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_absenceevent" ("first_on", "id", "last_on", "note", "person_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."first_on", old_values."id", old_values."last_on", old_values."note", old_values."person_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='61e7bacd3e8b569b02737b321a589e994ed81ed6', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_b18a9', referencing='REFERENCING OLD TABLE AS old_values ', table='dashboards_absence', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capacityterms',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_capacitytermsevent" ("hiring_weeks", "id", "onboarding_hours", "onboarding_weeks", "overhead_rate", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "support_hours", "utilisation_rate", "week_hours", "work_weeks") SELECT new_values."hiring_weeks", new_values."id", new_values."onboarding_hours", new_values."onboarding_weeks", new_values."overhead_rate", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."support_hours", new_values."utilisation_rate", new_values."week_hours", new_values."work_weeks" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='2bbcb0ee270769dba76185ab0e55e4a4f52fcac7', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_280c3', referencing='REFERENCING NEW TABLE AS new_values ', table='dashboards_capacityterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capacityterms',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_capacitytermsevent" ("hiring_weeks", "id", "onboarding_hours", "onboarding_weeks", "overhead_rate", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "support_hours", "utilisation_rate", "week_hours", "work_weeks") SELECT old_values."hiring_weeks", old_values."id", old_values."onboarding_hours", old_values."onboarding_weeks", old_values."overhead_rate", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."support_hours", old_values."utilisation_rate", old_values."week_hours", old_values."work_weeks" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='5c5dad36f74f40160dc6d1bbc0dc666047971e57', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_9b476', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='dashboards_capacityterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='capacityterms',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_capacitytermsevent" ("hiring_weeks", "id", "onboarding_hours", "onboarding_weeks", "overhead_rate", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "support_hours", "utilisation_rate", "week_hours", "work_weeks") SELECT old_values."hiring_weeks", old_values."id", old_values."onboarding_hours", old_values."onboarding_weeks", old_values."overhead_rate", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."support_hours", old_values."utilisation_rate", old_values."week_hours", old_values."work_weeks" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='6b1eef7a4d2ed11c1fe6b22ecb043bf624672d30', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_a7a37', referencing='REFERENCING OLD TABLE AS old_values ', table='dashboards_capacityterms', when='AFTER')),
        ),
    ])]
