"""When accounts count as unmonitored."""

import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.db import migrations, models

from config.one_step import InOneStep


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0002_company_and_cache'),
    ]

    operations = [InOneStep([
        migrations.CreateModel(
            name='MonitoringRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due_within_days', models.PositiveSmallIntegerField(default=90, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000)])),
                ('silent_days', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)])),
                ('segment', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.segment')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('segment',), name='monitoring_rule_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('due_within_days__lte', 1000), ('silent_days__gte', 1), ('silent_days__lte', 1000)), name='monitoring_rule_days', violation_error_message='Days are at most 1,000, and a silence has at least one.')],
            },
        ),
        migrations.CreateModel(
            name='MonitoringRuleEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('due_within_days', models.PositiveSmallIntegerField(default=90, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000)])),
                ('silent_days', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)])),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='engagement.monitoringrule')),
                ('segment', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.segment')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='monitoringrule_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='monitoringrule_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='monitoringrule_ev_user'), models.Index(fields=['pgh_context_id'], name='monitoringrule_ev_batch')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monitoringrule',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "engagement_monitoringruleevent" ("due_within_days", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_id", "silent_days") SELECT new_values."due_within_days", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."segment_id", new_values."silent_days" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='5368a4aab33a26cc9817d4a85b60f61c8a390fe4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_e0578', referencing='REFERENCING NEW TABLE AS new_values ', table='engagement_monitoringrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monitoringrule',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "engagement_monitoringruleevent" ("due_within_days", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_id", "silent_days") SELECT old_values."due_within_days", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."segment_id", old_values."silent_days" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='4d55a29f28a93b7387a40e41d5b9a272477ac32b', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_d5df3', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='engagement_monitoringrule', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='monitoringrule',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "engagement_monitoringruleevent" ("due_within_days", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_id", "silent_days") SELECT old_values."due_within_days", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."segment_id", old_values."silent_days" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='7ed14ce0ce184eb44f592ba6569039c72320df0a', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_66a4e', referencing='REFERENCING OLD TABLE AS old_values ', table='engagement_monitoringrule', when='AFTER')),
        ),
    ])]
