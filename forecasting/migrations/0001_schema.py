"""The tables in one step, as the migrations that this one stands for left them: a first start makes them in seconds."""

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from config.one_step import InOneStep


class Migration(migrations.Migration):

    replaces = [('forecasting', '0001_initial'), ('forecasting', '0003_run_rules_judged'), ('forecasting', '0004_scores_in_frames'), ('forecasting', '0005_likelihood_models'), ('forecasting', '0006_scenarios'), ('forecasting', '0007_outlook'), ('forecasting', '0008_mrr'), ('forecasting', '0011_backtests'), ('forecasting', '0012_call_records')]

    initial = True

    dependencies = [('accounts', '0002_company_and_cache'), ('renewals', '0017_lighter_imports')]

    operations = [InOneStep([
        migrations.CreateModel(
            name='StaleMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month_on', models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name='StaleScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('renewal_id', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Backtest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=7)),
                ('asked_because', models.CharField(choices=[('demand', 'On demand'), ('monthly', 'Monthly')], max_length=7)),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('heard_at', models.DateTimeField(null=True)),
                ('restart_count', models.PositiveSmallIntegerField(default=0)),
                ('message', models.TextField(blank=True)),
                ('origin_count', models.PositiveSmallIntegerField()),
                ('done_count', models.PositiveSmallIntegerField(default=0)),
                ('as_of_on', models.DateField(null=True)),
                ('reporting_currency', models.CharField(blank=True, max_length=3)),
                ('periods', models.JSONField(default=list)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('state',), name='backtest_waiting_once'), models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('state',), name='backtest_running_once'), models.CheckConstraint(condition=models.Q(('origin_count__gte', 1), ('origin_count__lte', 40)), name='backtest_origin_count', violation_error_message='Between 1 and 40 periods can be replayed.')],
            },
        ),
        migrations.CreateModel(
            name='BacktestScope',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('backtest', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='scopes', to='forecasting.backtest')),
                ('kind', models.CharField(choices=[('book', 'Whole book'), ('team', 'Team'), ('owner', 'Rep'), ('segment', 'Segment')], max_length=7)),
                ('group_id', models.BigIntegerField(default=0)),
                ('content', models.JSONField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('backtest', 'kind', 'group_id'), name='backtest_scope_once')],
            },
        ),
        migrations.CreateModel(
            name='CallRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of_on', models.DateField()),
                ('run_id', models.BigIntegerField()),
                ('measured_at', models.DateTimeField()),
                ('content', models.JSONField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='call_record_once')],
            },
        ),
        migrations.CreateModel(
            name='ForecastLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('month', 'Month'), ('quarter', 'Quarter')], max_length=7)),
                ('starts_on', models.DateField()),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.team')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.segment')),
                ('due_count', models.IntegerField(default=0)),
                ('due_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('won_count', models.IntegerField(default=0)),
                ('won_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('won_baseline_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('lost_count', models.IntegerField(default=0)),
                ('lost_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('open_count', models.IntegerField(default=0)),
                ('open_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('overdue_count', models.IntegerField(default=0)),
                ('overdue_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('commit_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('best_case_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('pipeline_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('p10_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('p50_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('p90_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('open_hash', models.BigIntegerField(default=0, editable=False)),
                ('renewal_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('upsell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('cross_sell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('downsell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('churn_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_renewal_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_upsell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_cross_sell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_downsell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_churn_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('early_count', models.IntegerField(default=0)),
                ('early_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('on_time_count', models.IntegerField(default=0)),
                ('on_time_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('late_count', models.IntegerField(default=0)),
                ('late_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('win_back_count', models.IntegerField(default=0)),
                ('win_back_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_early_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_on_time_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_late_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_by_due_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_by_30_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_by_60_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expected_by_90_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('collected_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('chance_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('in_period_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('grain', 'starts_on', 'team', 'owner', 'segment'), name='forecast_line_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('p10_amount__lte', models.F('p50_amount')), ('p50_amount__lte', models.F('p90_amount'))), name='forecast_line_quantiles_ordered')],
            },
        ),
        migrations.CreateModel(
            name='LikelihoodModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('fitted', 'Fitted'), ('failed', 'Failed')], default='waiting', max_length=7)),
                ('asked_because', models.CharField(choices=[('demand', 'On demand'), ('first', 'After the first recompute'), ('weekly', 'Weekly'), ('decisions', 'After many new decisions'), ('setting', 'After a setting changed')], max_length=9)),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('dispatched_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('restart_count', models.PositiveSmallIntegerField(default=0)),
                ('message', models.TextField(blank=True)),
                ('cut_off_on', models.DateField(null=True)),
                ('horizon_days', models.PositiveSmallIntegerField(default=30)),
                ('row_count', models.PositiveIntegerField(default=0)),
                ('renewed_count', models.PositiveIntegerField(default=0)),
                ('left_out_count', models.PositiveIntegerField(default=0)),
                ('way', models.CharField(blank=True, max_length=20)),
                ('words', models.CharField(blank=True, max_length=120)),
                ('reason', models.TextField(blank=True)),
                ('is_signal', models.BooleanField(default=False)),
                ('metrics', models.JSONField(default=dict)),
                ('content', models.JSONField(null=True)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('state',), name='likelihood_waiting_once'), models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('state',), name='likelihood_running_once'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'fitted'), _negated=True), models.Q(('content__isnull', False), ('cut_off_on__isnull', False)), _connector='OR'), name='likelihood_fitted_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='MrrCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('called_on', models.DateField()),
                ('month_on', models.DateField()),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.segment')),
                ('closing_amount', models.DecimalField(decimal_places=2, max_digits=18)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('month_on', 'owner', 'segment'), name='mrr_call_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='MrrLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month_on', models.DateField()),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.segment')),
                ('state', models.SmallIntegerField(choices=[(0, 'In effect'), (1, 'Signed'), (2, 'Expected')])),
                ('opening_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('new_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('expansion_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('reactivation_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('contraction_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('churn_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('cross_sell_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('open_amount', models.DecimalField(decimal_places=2, default=0, max_digits=18)),
                ('variance', models.FloatField(default=0)),
                ('response', models.FloatField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'segment', 'month_on', 'state'), name='mrr_line_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='MrrMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.account')),
                ('contract', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='renewals.contract')),
                ('renewal', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='renewals.renewal')),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.segment')),
                ('month_on', models.DateField()),
                ('state', models.SmallIntegerField(choices=[(0, 'In effect'), (1, 'Signed'), (2, 'Expected')])),
                ('kind', models.SmallIntegerField(choices=[(0, 'Opening'), (1, 'New'), (2, 'Expansion'), (3, 'Reactivation'), (4, 'Contraction'), (5, 'Churn')])),
                ('amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('cross_sell_amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('open_amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('kept_amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('probability', models.FloatField()),
            ],
            options={
                'indexes': [models.Index(fields=['account'], name='mrr_movement_account'), models.Index(fields=['owner', 'segment'], name='mrr_movement_scope'), models.Index(fields=['month_on', 'kind', '-amount'], name='mrr_movement_month'), models.Index(condition=models.Q(('kind', 5), ('state', 2)), fields=['-kept_amount'], name='mrr_movement_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='mrr_movement_amount')],
            },
        ),
        migrations.CreateModel(
            name='MrrOfferLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month_on', models.DateField()),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.segment')),
                ('state', models.SmallIntegerField(choices=[(0, 'In effect'), (1, 'Signed'), (2, 'Expected')])),
                ('name', models.CharField(max_length=200)),
                ('upsell_amount', models.DecimalField(decimal_places=2, max_digits=18)),
                ('cross_sell_amount', models.DecimalField(decimal_places=2, max_digits=18)),
            ],
            options={
                'indexes': [models.Index(fields=['owner', 'segment'], name='mrr_offer_line_scope')],
            },
        ),
        migrations.CreateModel(
            name='MrrRollUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.BigIntegerField()),
                ('as_of_on', models.DateField()),
                ('rolled_up_at', models.DateTimeField()),
                ('assumed_rate', models.FloatField()),
                ('unrated', models.JSONField(default=dict)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='mrr_roll_up_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('nightly', 'Nightly'), ('demand', 'On demand'), ('import', 'After an import'), ('rule', 'After a rule changed'), ('bulk', 'After a bulk edit'), ('undo', 'After an undo'), ('model', 'After a fit of the likelihood')], max_length=7)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('published', 'Published'), ('failed', 'Failed')], default='waiting', max_length=9)),
                ('as_of_on', models.DateField(help_text='The business date the run judges by.')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('published_at', models.DateTimeField(null=True)),
                ('rules_judged_at', models.DateTimeField(null=True)),
                ('dispatched_at', models.DateTimeField(null=True)),
                ('restart_count', models.PositiveSmallIntegerField(default=0)),
                ('row_count', models.PositiveIntegerField(default=0)),
                ('changed_count', models.PositiveIntegerField(default=0)),
                ('message', models.TextField(blank=True)),
                ('likelihood_table', models.JSONField(null=True)),
                ('rep_records', models.JSONField(null=True)),
                ('amount_model', models.JSONField(null=True)),
                ('order_timing', models.JSONField(null=True)),
                ('shock', models.JSONField(null=True)),
                ('likelihood_model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='forecasting.likelihoodmodel')),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('state',), name='run_waiting_once'), models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('state',), name='run_running_once')],
            },
        ),
        migrations.CreateModel(
            name='RunChunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='forecasting.run')),
                ('first_account_id', models.BigIntegerField()),
                ('last_account_id', models.BigIntegerField()),
                ('staged_at', models.DateTimeField(null=True)),
                ('row_count', models.PositiveIntegerField(default=0)),
                ('changed_count', models.PositiveIntegerField(default=0)),
                ('unrated_count', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ['first_account_id'],
                'constraints': [models.UniqueConstraint(fields=('run', 'first_account_id'), name='run_chunk_once')],
            },
        ),
        migrations.CreateModel(
            name='Scenario',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='scenarios', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='scenarios', to='accounts.team')),
                ('visibility', models.CharField(choices=[('private', 'Only me'), ('team', 'My team'), ('everyone', 'Everyone')], default='private', max_length=8)),
                ('shifts', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='scenario_has_name', violation_error_message='A scenario needs a name.'), models.CheckConstraint(condition=models.Q(models.Q(('team__isnull', False), ('visibility', 'team')), models.Q(models.Q(('visibility', 'team'), _negated=True), ('team__isnull', True)), _connector='OR'), name='scenario_team', violation_error_message='A scenario has a team where it is for a team, and only there.'), models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), condition=models.Q(('visibility', 'private')), name='scenario_name_private', violation_error_message='There is a scenario of this name already.'), models.UniqueConstraint(models.F('team'), django.db.models.functions.text.Lower('name'), condition=models.Q(('visibility', 'team')), name='scenario_name_team', violation_error_message='There is a scenario of this name already.'), models.UniqueConstraint(django.db.models.functions.text.Lower('name'), condition=models.Q(('visibility', 'everyone')), name='scenario_name_everyone', violation_error_message='There is a scenario of this name already.')],
            },
        ),
        migrations.CreateModel(
            name='ScenarioEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='forecasting.scenario')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=80)),
                ('owner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.team')),
                ('visibility', models.CharField(choices=[('private', 'Only me'), ('team', 'My team'), ('everyone', 'Everyone')], default='private', max_length=8)),
                ('shifts', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='scenario_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='scenario_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='scenario_ev_user'), models.Index(fields=['pgh_context_id'], name='scenario_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('moment', models.DateTimeField()),
                ('as_of_on', models.DateField()),
                ('reason', models.CharField(choices=[('month_start', 'First business day'), ('month_close', 'Month close'), ('quarter_close', 'Quarter close'), ('hand', 'By hand')], max_length=13)),
                ('is_late', models.BooleanField(default=False)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('made_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='forecasting.run')),
                ('versions', models.JSONField()),
                ('reporting_currency', models.CharField(max_length=3)),
                ('rates', models.JSONField()),
                ('fiscal_start', models.PositiveSmallIntegerField()),
                ('row_count', models.PositiveIntegerField()),
                ('open_count', models.PositiveIntegerField()),
            ],
            options={
                'ordering': ['-moment', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('reason', 'hand'), _negated=True), fields=('reason', 'moment'), name='snapshot_once_when_due'), models.CheckConstraint(condition=models.Q(models.Q(('reason', 'hand'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='snapshot_by_hand_has_note', violation_error_message='A call that is frozen by hand needs a note.')],
            },
        ),
        migrations.CreateModel(
            name='SnapshotFrame',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('snapshot', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='frames', to='forecasting.snapshot')),
                ('kind', models.CharField(choices=[('rows', 'Renewals'), ('lines', 'Lines')], max_length=5)),
                ('month_on', models.DateField()),
                ('row_count', models.PositiveIntegerField()),
                ('layout', models.JSONField()),
                ('content', models.BinaryField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('snapshot', 'kind', 'month_on'), name='snapshot_frame_once')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scenario',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "forecasting_scenarioevent" ("created_at", "id", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "shifts", "team_id", "visibility") SELECT old_values."created_at", old_values."id", old_values."name", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."shifts", old_values."team_id", old_values."visibility" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."owner_id" IS DISTINCT FROM (new_values."owner_id") OR old_values."shifts" IS DISTINCT FROM (new_values."shifts") OR old_values."team_id" IS DISTINCT FROM (new_values."team_id") OR old_values."visibility" IS DISTINCT FROM (new_values."visibility")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='c276f17713457740278185b7d9995949b394000b', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_1439d', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='forecasting_scenario', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scenario',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "forecasting_scenarioevent" ("created_at", "id", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "shifts", "team_id", "visibility") SELECT old_values."created_at", old_values."id", old_values."name", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."shifts", old_values."team_id", old_values."visibility" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='8ebe0c584d693db97251a4b744eec0d173c4d839', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_c5621', referencing='REFERENCING OLD TABLE AS old_values ', table='forecasting_scenario', when='AFTER')),
        ),
    ])]
