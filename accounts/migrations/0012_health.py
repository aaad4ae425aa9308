"""Health of accounts and what it is made of; which tickets, signals and contacts are found and told by what."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
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
        ('accounts', '0002_company_and_cache'),
    ]

    operations = [InOneStep([
        pgtrigger.migrations.RemoveTrigger(
            model_name='account',
            name='before_update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='account',
            name='before_delete_delete',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='accountsignal',
            name='before_update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='accountsignal',
            name='before_delete_delete',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='contact',
            name='after_insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='contact',
            name='before_update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='contact',
            name='before_delete_delete',
        ),
        migrations.AddField(
            model_name='account',
            name='touch_model',
            field=models.CharField(blank=True, choices=[('high', 'High touch'), ('mid', 'Mid touch'), ('low', 'Low touch')], db_default='', default='', max_length=4),
        ),
        migrations.AddField(
            model_name='accountevent',
            name='touch_model',
            field=models.CharField(blank=True, choices=[('high', 'High touch'), ('mid', 'Mid touch'), ('low', 'Low touch')], db_default='', default='', max_length=4),
        ),
        migrations.AddField(
            model_name='accountsignal',
            name='custom_values',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='accountsignal',
            name='login_change_rate',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='accountsignal',
            name='sentiment_score',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='accountsignalevent',
            name='custom_values',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='accountsignalevent',
            name='login_change_rate',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='accountsignalevent',
            name='sentiment_score',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='contact',
            name='is_unmailed',
            field=models.BooleanField(default=False, verbose_name='wants no mail'),
        ),
        migrations.AddField(
            model_name='contactevent',
            name='is_unmailed',
            field=models.BooleanField(default=False, verbose_name='wants no mail'),
        ),
        migrations.AlterField(
            model_name='accountsignal',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='signals', to='accounts.account'),
        ),
        migrations.AddIndex(
            model_name='accountsignal',
            index=models.Index(condition=models.Q(('has_champion_left', True)), fields=['measured_on'], name='signal_champion_left'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('resolved_on__isnull', True), ('severity__in', ('high', 'urgent'))), fields=['account'], name='ticket_severe_open'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('subject', 'theme', config='simple'), name='ticket_words'),
        ),
        migrations.AddConstraint(
            model_name='accountsignal',
            constraint=models.CheckConstraint(condition=models.Q(('sentiment_score__isnull', True), models.Q(('sentiment_score__gte', 1), ('sentiment_score__lte', 5)), _connector='OR'), name='account_signal_sentiment', violation_error_message='Sentiment is from 1 to 5.'),
        ),
        migrations.CreateModel(
            name='AccountHealth',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='health', serialize=False, to='accounts.account')),
                ('score', models.FloatField(null=True)),
                ('band', models.SmallIntegerField(choices=[(0, 'Poor'), (1, 'Watch'), (2, 'Healthy')], null=True)),
                ('completeness', models.FloatField()),
                ('contributions', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None)),
                ('score_30_days_before', models.FloatField(null=True)),
                ('score_90_days_before', models.FloatField(null=True)),
                ('changed_on', models.DateField()),
                ('stands_until_on', models.DateField(db_index=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['band', 'score'], name='account_health_band')],
            },
        ),
        migrations.CreateModel(
            name='HealthDay',
            fields=[
                ('pk', models.CompositePrimaryKey('account_id', 'changed_on', blank=True, editable=False, primary_key=True, serialize=False)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='health_days', to='accounts.account')),
                ('changed_on', models.DateField()),
                ('score', models.FloatField(null=True)),
                ('band', models.SmallIntegerField(choices=[(0, 'Poor'), (1, 'Watch'), (2, 'Healthy')], null=True)),
                ('completeness', models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name='HealthFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.SlugField(max_length=40, unique=True)),
                ('label', models.CharField(max_length=80)),
                ('explanation', models.CharField(blank=True, max_length=200)),
                ('position', models.PositiveSmallIntegerField(unique=True)),
                ('is_custom', models.BooleanField(default=False)),
                ('worst_value', models.FloatField(verbose_name='worst at')),
                ('best_value', models.FloatField(verbose_name='best at')),
                ('stale_days', models.PositiveSmallIntegerField(verbose_name='missing after, days')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.CheckConstraint(condition=models.Q(('worst_value', models.F('best_value')), _negated=True), name='health_factor_scale', violation_error_message='The worst and the best value differ.'), models.CheckConstraint(condition=models.Q(('stale_days__gte', 1)), name='health_factor_stale', violation_error_message='A value counts for one day at least.')],
            },
        ),
        migrations.CreateModel(
            name='HealthFactorEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('key', models.SlugField(db_index=False, max_length=40)),
                ('label', models.CharField(max_length=80)),
                ('explanation', models.CharField(blank=True, max_length=200)),
                ('position', models.PositiveSmallIntegerField()),
                ('is_custom', models.BooleanField(default=False)),
                ('worst_value', models.FloatField(verbose_name='worst at')),
                ('best_value', models.FloatField(verbose_name='best at')),
                ('stale_days', models.PositiveSmallIntegerField(verbose_name='missing after, days')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.healthfactor')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='healthfactor_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='healthfactor_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='healthfactor_ev_user'), models.Index(fields=['pgh_context_id'], name='healthfactor_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='HealthWeightVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weights', models.JSONField()),
                ('healthy_from', models.PositiveSmallIntegerField(default=75)),
                ('watch_from', models.PositiveSmallIntegerField(default=60)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.segment')),
            ],
            options={
                'ordering': ['-created_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('healthy_from__lte', 100), ('watch_from__gt', 0), ('watch_from__lt', models.F('healthy_from'))), name='health_weight_version_bands', violation_error_message='Watch begins above 0 and below healthy, which begins at 100 at most.')],
            },
        ),
        migrations.CreateModel(
            name='StaleHealth',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='as_stale_health', serialize=False, to='accounts.account')),
                ('marked_at', models.DateTimeField()),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountevent" ("attributes", "created_at", "customer_since_on", "external_id", "family_id", "id", "industry_id", "last_touch_on", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "segment_id", "touch_model") SELECT old_values."attributes", old_values."created_at", old_values."customer_since_on", old_values."external_id", old_values."family_id", old_values."id", old_values."industry_id", old_values."last_touch_on", old_values."name", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."region", old_values."segment_id", old_values."touch_model" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."attributes" IS DISTINCT FROM (new_values."attributes") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."customer_since_on" IS DISTINCT FROM (new_values."customer_since_on") OR old_values."external_id" IS DISTINCT FROM (new_values."external_id") OR old_values."family_id" IS DISTINCT FROM (new_values."family_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."industry_id" IS DISTINCT FROM (new_values."industry_id") OR old_values."last_touch_on" IS DISTINCT FROM (new_values."last_touch_on") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."owner_id" IS DISTINCT FROM (new_values."owner_id") OR old_values."region" IS DISTINCT FROM (new_values."region") OR old_values."segment_id" IS DISTINCT FROM (new_values."segment_id") OR old_values."touch_model" IS DISTINCT FROM (new_values."touch_model")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='6b8f62e378d076fd82c1c9a9022a5890194b2246', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_bd2c2', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_account', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountevent" ("attributes", "created_at", "customer_since_on", "external_id", "family_id", "id", "industry_id", "last_touch_on", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "segment_id", "touch_model") SELECT old_values."attributes", old_values."created_at", old_values."customer_since_on", old_values."external_id", old_values."family_id", old_values."id", old_values."industry_id", old_values."last_touch_on", old_values."name", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."region", old_values."segment_id", old_values."touch_model" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='0d88c0e8952acea7570fdc7a72d61bc5aa615993', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_16d3b', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_account', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='health_segment', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalehealth (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT n.id AS account_id FROM new_rows n JOIN old_rows o USING (id) WHERE n.segment_id IS DISTINCT FROM o.segment_id) moved ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='4573489ff3ca4e54018b7ad3e6eaa33b86fe401f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_health_segment_72b3e', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='accounts_account', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountsignalevent" ("account_id", "chargeback_count", "created_at", "csat_score", "custom_values", "derived_measures", "failed_payment_count", "has_champion_left", "id", "last_touch_on", "late_payment_days", "login_change_rate", "measured_on", "nps_score", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reopened_ticket_rate", "seat_change_rate", "sentiment_score", "severe_ticket_count", "usage_change_rate") SELECT old_values."account_id", old_values."chargeback_count", old_values."created_at", old_values."csat_score", old_values."custom_values", old_values."derived_measures", old_values."failed_payment_count", old_values."has_champion_left", old_values."id", old_values."last_touch_on", old_values."late_payment_days", old_values."login_change_rate", old_values."measured_on", old_values."nps_score", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."reopened_ticket_rate", old_values."seat_change_rate", old_values."sentiment_score", old_values."severe_ticket_count", old_values."usage_change_rate" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='a21310b71c00afe17b337af89452cc33882618d2', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_754ec', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountsignalevent" ("account_id", "chargeback_count", "created_at", "csat_score", "custom_values", "derived_measures", "failed_payment_count", "has_champion_left", "id", "last_touch_on", "late_payment_days", "login_change_rate", "measured_on", "nps_score", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reopened_ticket_rate", "seat_change_rate", "sentiment_score", "severe_ticket_count", "usage_change_rate") SELECT old_values."account_id", old_values."chargeback_count", old_values."created_at", old_values."csat_score", old_values."custom_values", old_values."derived_measures", old_values."failed_payment_count", old_values."has_champion_left", old_values."id", old_values."last_touch_on", old_values."late_payment_days", old_values."login_change_rate", old_values."measured_on", old_values."nps_score", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."reopened_ticket_rate", old_values."seat_change_rate", old_values."sentiment_score", old_values."severe_ticket_count", old_values."usage_change_rate" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='9d3725cdc9d395ba4d0b0311c3b5a938aa40108b', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_aace8', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='health_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalehealth (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM new_rows ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='ddc817b8d78728ee079726541377dcf0c07c4798', level='STATEMENT', operation='INSERT', pgid='pgtrigger_health_insert_6e118', referencing='REFERENCING NEW TABLE AS new_rows ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='health_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalehealth (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT account_id FROM old_rows UNION SELECT account_id FROM new_rows) both_rows ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='f8ec8e300eb7d7e827b9d414fd79674458212806', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_health_update_dc081', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='health_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalehealth (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT account_id FROM old_rows WHERE EXISTS (SELECT FROM accounts_account a WHERE a.id = account_id)) gone ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='f7e67b7862516b3f1e3ab143d553de2b592441c4', level='STATEMENT', operation='DELETE', pgid='pgtrigger_health_delete_2c5f7', referencing='REFERENCING OLD TABLE AS old_rows ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_contactevent" ("account_id", "created_at", "email", "id", "is_champion", "is_unmailed", "left_on", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role") SELECT new_values."account_id", new_values."created_at", new_values."email", new_values."id", new_values."is_champion", new_values."is_unmailed", new_values."left_on", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."phone", new_values."role" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='35833cbdbb748b943ad6584ce667b8972701c5dd', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_7fa62', referencing='REFERENCING NEW TABLE AS new_values ', table='accounts_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_contactevent" ("account_id", "created_at", "email", "id", "is_champion", "is_unmailed", "left_on", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role") SELECT old_values."account_id", old_values."created_at", old_values."email", old_values."id", old_values."is_champion", old_values."is_unmailed", old_values."left_on", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."phone", old_values."role" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='f64396f23b90af83c1b720d476754881a28be30c', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_fa282', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_contactevent" ("account_id", "created_at", "email", "id", "is_champion", "is_unmailed", "left_on", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role") SELECT old_values."account_id", old_values."created_at", old_values."email", old_values."id", old_values."is_champion", old_values."is_unmailed", old_values."left_on", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."phone", old_values."role" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='4b7dec7d79864b161126617e7eebfa0cf1018afa', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_2612b', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='healthfactor',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_healthfactorevent" ("best_value", "explanation", "id", "is_custom", "key", "label", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "stale_days", "worst_value") SELECT old_values."best_value", old_values."explanation", old_values."id", old_values."is_custom", old_values."key", old_values."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."position", old_values."stale_days", old_values."worst_value" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='aeead71883130d8f46ec4a29815759f81f9d5f10', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_00ee7', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_healthfactor', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='healthfactor',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_healthfactorevent" ("best_value", "explanation", "id", "is_custom", "key", "label", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "stale_days", "worst_value") SELECT old_values."best_value", old_values."explanation", old_values."id", old_values."is_custom", old_values."key", old_values."label", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."position", old_values."stale_days", old_values."worst_value" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='cba773808f8e3fb5b0e34e90ab582e44937d1654', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_d3294', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_healthfactor', when='AFTER')),
        ),
    ])]
