"""Who is mailed the executive page, and when."""

import dashboards.models.executive
import django.contrib.postgres.fields
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
        ('dashboards', '0002_marks_of_changes'),
        ('engagement', '0019_mail_images'),
    ]

    operations = [InOneStep([
        migrations.CreateModel(
            name='ExecutiveMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=True, verbose_name='by mail')),
                ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(choices=[(1, 'Monday'), (2, 'Tuesday'), (3, 'Wednesday'), (4, 'Thursday'), (5, 'Friday'), (6, 'Saturday'), (7, 'Sunday')]), default=dashboards.models.executive._mondays, size=None)),
                ('hour', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MaxValueValidator(23)])),
                ('next_on', models.DateField()),
                ('asked_at', models.DateTimeField(blank=True, null=True)),
                ('last_mail', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='engagement.outgoingmail')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='executive_mail', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('weekdays__contained_by', [1, 2, 3, 4, 5, 6, 7]), ('weekdays__len__gt', 0)), name='executive_mail_weekdays', violation_error_message='Mail goes out on one weekday or more, from Monday (1) to Sunday (7).'), models.CheckConstraint(condition=models.Q(('hour__lte', 23)), name='executive_mail_hour', violation_error_message='An hour is from 0 to 23.')],
            },
        ),
        migrations.CreateModel(
            name='ExecutiveMailEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('is_on', models.BooleanField(default=True, verbose_name='by mail')),
                ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(choices=[(1, 'Monday'), (2, 'Tuesday'), (3, 'Wednesday'), (4, 'Thursday'), (5, 'Friday'), (6, 'Saturday'), (7, 'Sunday')]), default=dashboards.models.executive._mondays, size=None)),
                ('hour', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MaxValueValidator(23)])),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='dashboards.executivemail')),
                ('user', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='executivemail_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='executivemail_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='executivemail_ev_user'), models.Index(fields=['pgh_context_id'], name='executivemail_ev_batch')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='executivemail',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_executivemailevent" ("hour", "id", "is_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id", "weekdays") SELECT new_values."hour", new_values."id", new_values."is_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."user_id", new_values."weekdays" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='760511dcd62dc7295240c37394ec0eb6787216c4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_4c9f8', referencing='REFERENCING NEW TABLE AS new_values ', table='dashboards_executivemail', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='executivemail',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_executivemailevent" ("hour", "id", "is_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id", "weekdays") SELECT old_values."hour", old_values."id", old_values."is_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."user_id", old_values."weekdays" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."hour" IS DISTINCT FROM (new_values."hour") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."is_on" IS DISTINCT FROM (new_values."is_on") OR old_values."user_id" IS DISTINCT FROM (new_values."user_id") OR old_values."weekdays" IS DISTINCT FROM (new_values."weekdays")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='75c7f221ea44ccd667448f629882ab1cd035722b', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_b280e', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='dashboards_executivemail', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='executivemail',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "dashboards_executivemailevent" ("hour", "id", "is_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "user_id", "weekdays") SELECT old_values."hour", old_values."id", old_values."is_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."user_id", old_values."weekdays" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='ea714e73e76ab994ced3a62ebb71bdde64b01ece', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_05d32', referencing='REFERENCING OLD TABLE AS old_values ', table='dashboards_executivemail', when='AFTER')),
        ),
    ])]
