"""Targets, what edits have scored, and the terms of payment that runs reckon with."""

import django.contrib.postgres.functions
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from config.one_step import InOneStep


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0013_starting_health'),
        ('forecasting', '0010_refuse_truncate'),
        ('renewals', '0017_lighter_imports'),
    ]

    operations = [InOneStep([
        migrations.AddField(
            model_name='run',
            name='payment_terms',
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name='FreshScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('renewal_id', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Target',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(choices=[('month', 'Month'), ('quarter', 'Quarter')], max_length=7)),
                ('starts_on', models.DateField(verbose_name='period from')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=18, validators=[django.core.validators.MinValueValidator(0)])),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.team')),
            ],
            options={
                'ordering': ['starts_on', 'grain', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('grain', 'starts_on', 'team', 'owner'), name='target_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='target_positive', violation_error_message='A target is above 0.'), models.CheckConstraint(condition=models.Q(('team__isnull', True), ('owner__isnull', True), _connector='OR'), name='target_of_team_or_owner')],
            },
        ),
        migrations.CreateModel(
            name='TargetEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('grain', models.CharField(choices=[('month', 'Month'), ('quarter', 'Quarter')], max_length=7)),
                ('starts_on', models.DateField(verbose_name='period from')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=18, validators=[django.core.validators.MinValueValidator(0)])),
                ('owner', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='forecasting.target')),
                ('team', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.team')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='target_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='target_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='target_ev_user'), models.Index(fields=['pgh_context_id'], name='target_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='PaymentFit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of_on', models.DateField(unique=True)),
                ('terms', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'ordering': ['-as_of_on'],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scenario',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "forecasting_scenarioevent" ("created_at", "id", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "shifts", "team_id", "visibility") SELECT new_values."created_at", new_values."id", new_values."name", new_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."shifts", new_values."team_id", new_values."visibility" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='0d168e9e4d3aa860198d85b0e81497f352ae14c5', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_117c0', referencing='REFERENCING NEW TABLE AS new_values ', table='forecasting_scenario', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='target',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "forecasting_targetevent" ("amount", "grain", "id", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "team_id") SELECT new_values."amount", new_values."grain", new_values."id", new_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."starts_on", new_values."team_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='e5564e1720af91b11921a3c55f9d52353c00eb55', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_a99be', referencing='REFERENCING NEW TABLE AS new_values ', table='forecasting_target', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='target',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "forecasting_targetevent" ("amount", "grain", "id", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "team_id") SELECT old_values."amount", old_values."grain", old_values."id", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."starts_on", old_values."team_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='a44172f8ead4e0135db102956f42ce06479cf466', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_30f59', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='forecasting_target', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='target',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "forecasting_targetevent" ("amount", "grain", "id", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "team_id") SELECT old_values."amount", old_values."grain", old_values."id", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."starts_on", old_values."team_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='275f51bad930e62cb65a25788e0af70f6074d4e5', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_87a44', referencing='REFERENCING OLD TABLE AS old_values ', table='forecasting_target', when='AFTER')),
        ),
    ])]
