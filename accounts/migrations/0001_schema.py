"""The tables in one step, as the migrations that this one stands for left them: a first start makes them in seconds."""

import django.contrib.postgres.functions
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.utils.timezone
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from config.one_step import InOneStep


class Migration(migrations.Migration):

    replaces = [('accounts', '0001_initial'), ('accounts', '0003_history_indexes'), ('accounts', '0004_history_of_rules'), ('accounts', '0005_history_of_signals'), ('accounts', '0006_lighter_indexes'), ('accounts', '0007_likelihood_settings'), ('accounts', '0008_when_rates_were_recorded'), ('accounts', '0009_open_accounts'), ('accounts', '0010_contacts_and_touches'), ('accounts', '0011_tickets_and_invoices')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('pghistory', '0007_auto_20250421_0444'),  # its functions, which the triggers call
    ]

    operations = [InOneStep([
        migrations.CreateModel(
            name='AttributeDefinition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.SlugField(max_length=40, unique=True)),
                ('label', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('number', 'Number'), ('category', 'Category'), ('date', 'Date'), ('flag', 'Yes or no')], max_length=8)),
                ('holder', models.CharField(choices=[('account', 'Account'), ('renewal', 'Renewal')], default='account', max_length=8)),
                ('is_steady', models.BooleanField(default=True)),
            ],
            options={
                'ordering': ['label'],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as EUR.')])),
                ('effective_on', models.DateField()),
                ('rate', models.DecimalField(decimal_places=8, max_digits=18)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'ordering': ['currency', '-effective_on'],
                'constraints': [models.UniqueConstraint(fields=('currency', 'effective_on'), name='exchange_rate_once_a_day', violation_error_message='This currency already has a rate from that day.'), models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='exchange_rate_positive', violation_error_message='A rate is above 0.')],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRateEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.exchangerate')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as EUR.')])),
                ('effective_on', models.DateField()),
                ('rate', models.DecimalField(decimal_places=8, max_digits=18)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='exchangerate_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='exchangerate_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='exchangerate_ev_user'), models.Index(fields=['pgh_context_id'], name='exchangerate_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='Industry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
            ],
            options={
                'verbose_name_plural': 'industries',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='IndustryEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.industry')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=80)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='industry_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='industry_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='industry_ev_user'), models.Index(fields=['pgh_context_id'], name='industry_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('position', models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                'ordering': ['position', 'name'],
            },
        ),
        migrations.CreateModel(
            name='SegmentEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.segment')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=60)),
                ('position', models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='segment_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='segment_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='segment_ev_user'), models.Index(fields=['pgh_context_id'], name='segment_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='TeamEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.team')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=80)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='team_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='team_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='team_ev_user'), models.Index(fields=['pgh_context_id'], name='team_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(error_messages={'unique': 'Somebody already signs in with this email.'}, max_length=254, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('manager', 'Manager'), ('rep', 'CS rep'), ('viewer', 'Viewer')], default='viewer', max_length=8)),
                ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='accounts.team')),
                ('sees_whole_book', models.BooleanField(default=False, help_text="Sees every team's rows; editing is not widened.")),
                ('is_active', models.BooleanField(default=True)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'ordering': ['name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('role', 'manager'), _negated=True), ('team__isnull', False), _connector='OR'), name='user_manager_has_team', violation_error_message='A manager needs a team.')],
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('external_id', models.CharField(blank=True, help_text='Its id in the system it was imported from.', max_length=80)),
                ('segment', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='accounts.segment')),
                ('industry', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='accounts.industry')),
                ('region', models.CharField(blank=True, max_length=60)),
                ('owner', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='owned_accounts', to=settings.AUTH_USER_MODEL)),
                ('family', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='accounts.account')),
                ('customer_since_on', models.DateField(blank=True, null=True)),
                ('last_touch_on', models.DateField(blank=True, null=True)),
                ('attributes', models.JSONField(blank=True, default=dict, help_text='Values of the custom attributes, by key.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['name', 'pk'],
                'indexes': [models.Index(fields=['name', 'id'], name='account_name_id'), models.Index(condition=models.Q(('last_touch_on__isnull', False)), fields=['last_touch_on', 'id'], name='account_last_touch'), models.Index(condition=models.Q(('owner__isnull', False)), fields=['owner'], name='account_owner'), models.Index(condition=models.Q(('family__isnull', False)), fields=['family'], name='account_family'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('name', 'external_id', config='simple'), name='account_search')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('external_id',), name='account_external_id_once'), models.CheckConstraint(condition=models.Q(('family', models.F('pk')), _negated=True), name='account_not_its_own_family'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='account_has_name')],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contacts', to='accounts.account')),
                ('name', models.CharField(max_length=120)),
                ('role', models.CharField(blank=True, max_length=80)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('is_champion', models.BooleanField(default=False, verbose_name='champion')),
                ('left_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'ordering': ['name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='contact_has_name', violation_error_message='A contact needs a name.')],
            },
        ),
        migrations.CreateModel(
            name='ContactEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.contact')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.account')),
                ('name', models.CharField(max_length=120)),
                ('role', models.CharField(blank=True, max_length=80)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('is_champion', models.BooleanField(default=False, verbose_name='champion')),
                ('left_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='contact_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='contact_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='contact_ev_user'), models.Index(fields=['pgh_context_id'], name='contact_ev_batch'), models.Index(condition=models.Q(('pgh_label', 'before_delete')), fields=['account'], name='contact_ev_deleted')],
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='invoices', to='accounts.account')),
                ('external_id', models.CharField(max_length=80, verbose_name='invoice id')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as EUR.')])),
                ('due_on', models.DateField()),
                ('settled_on', models.DateField(blank=True, null=True)),
                ('has_failed', models.BooleanField(default=False, verbose_name='payment failed')),
                ('is_disputed', models.BooleanField(default=False, verbose_name='disputed')),
                ('is_charged_back', models.BooleanField(default=False, verbose_name='charged back')),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['-due_on', '-pk'],
                'indexes': [models.Index(fields=['account', '-due_on'], name='invoice_of_account')],
                'constraints': [models.UniqueConstraint(fields=('external_id',), name='invoice_external_id_once'), models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='invoice_amount', violation_error_message='The amount of an invoice is 0 or more.')],
            },
        ),
        migrations.CreateModel(
            name='InvoiceEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.invoice')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.account')),
                ('external_id', models.CharField(max_length=80, verbose_name='invoice id')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('currency', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as EUR.')])),
                ('due_on', models.DateField()),
                ('settled_on', models.DateField(blank=True, null=True)),
                ('has_failed', models.BooleanField(default=False, verbose_name='payment failed')),
                ('is_disputed', models.BooleanField(default=False, verbose_name='disputed')),
                ('is_charged_back', models.BooleanField(default=False, verbose_name='charged back')),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='invoice_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='invoice_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='invoice_ev_user'), models.Index(fields=['pgh_context_id'], name='invoice_ev_batch'), models.Index(condition=models.Q(('pgh_label', 'before_delete')), fields=['account'], name='invoice_ev_deleted')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='accounts.account')),
                ('external_id', models.CharField(max_length=80, verbose_name='ticket id')),
                ('category', models.CharField(choices=[('installation', 'Installation'), ('training', 'Training'), ('maintenance', 'Maintenance'), ('troubleshooting', 'Troubleshooting'), ('upgrade', 'Upgrade'), ('ending_service', 'Ending service'), ('bug', 'Bug'), ('documentation', 'Documentation'), ('other', 'Other')], default='other', max_length=15)),
                ('severity', models.CharField(choices=[('low', 'Low'), ('normal', 'Normal'), ('high', 'High'), ('urgent', 'Urgent')], default='normal', max_length=6)),
                ('opened_on', models.DateField()),
                ('resolved_on', models.DateField(blank=True, null=True)),
                ('reopened_count', models.PositiveIntegerField(default=0)),
                ('reporter', models.CharField(blank=True, max_length=120)),
                ('satisfaction_score', models.FloatField(blank=True, null=True)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('theme', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['-opened_on', '-pk'],
                'indexes': [models.Index(fields=['account', '-opened_on'], name='ticket_of_account')],
                'constraints': [models.UniqueConstraint(fields=('external_id',), name='ticket_external_id_once'), models.CheckConstraint(condition=models.Q(('resolved_on__isnull', True), ('resolved_on__gte', models.F('opened_on')), _connector='OR'), name='ticket_resolved_after_opened', violation_error_message='A ticket is resolved on the day that it was opened or later.'), models.CheckConstraint(condition=models.Q(('satisfaction_score__isnull', True), models.Q(('satisfaction_score__gte', 1), ('satisfaction_score__lte', 5)), _connector='OR'), name='ticket_satisfaction', violation_error_message='Satisfaction is from 1 to 5.')],
            },
        ),
        migrations.CreateModel(
            name='TicketEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.ticket')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.account')),
                ('external_id', models.CharField(max_length=80, verbose_name='ticket id')),
                ('category', models.CharField(choices=[('installation', 'Installation'), ('training', 'Training'), ('maintenance', 'Maintenance'), ('troubleshooting', 'Troubleshooting'), ('upgrade', 'Upgrade'), ('ending_service', 'Ending service'), ('bug', 'Bug'), ('documentation', 'Documentation'), ('other', 'Other')], default='other', max_length=15)),
                ('severity', models.CharField(choices=[('low', 'Low'), ('normal', 'Normal'), ('high', 'High'), ('urgent', 'Urgent')], default='normal', max_length=6)),
                ('opened_on', models.DateField()),
                ('resolved_on', models.DateField(blank=True, null=True)),
                ('reopened_count', models.PositiveIntegerField(default=0)),
                ('reporter', models.CharField(blank=True, max_length=120)),
                ('satisfaction_score', models.FloatField(blank=True, null=True)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('theme', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='ticket_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='ticket_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='ticket_ev_user'), models.Index(fields=['pgh_context_id'], name='ticket_ev_batch'), models.Index(condition=models.Q(('pgh_label', 'before_delete')), fields=['account'], name='ticket_ev_deleted')],
            },
        ),
        migrations.CreateModel(
            name='Touch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='touches', to='accounts.account')),
                ('external_id', models.CharField(blank=True, max_length=80)),
                ('kind', models.CharField(choices=[('call', 'Call'), ('mail', 'Mail'), ('meeting', 'Meeting'), ('review', 'Review'), ('other', 'Other')], max_length=7)),
                ('happened_at', models.DateTimeField(verbose_name='when')),
                ('contact', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='touches', to='accounts.contact')),
                ('author', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='touches', to=settings.AUTH_USER_MODEL)),
                ('note', models.CharField(blank=True, max_length=4000)),
                ('next_touch_on', models.DateField(blank=True, null=True, verbose_name='next touch')),
                ('replaced_touch_on', models.DateField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'ordering': ['-happened_at', '-pk'],
                'indexes': [models.Index(fields=['account', '-happened_at', '-id'], name='touch_of_account'), models.Index(condition=models.Q(('contact__isnull', False)), fields=['contact'], name='touch_with_contact'), models.Index(condition=models.Q(('next_touch_on__isnull', False)), fields=['account', 'next_touch_on'], name='touch_next')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('external_id',), name='touch_external_id_once')],
            },
        ),
        migrations.CreateModel(
            name='TouchEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.touch')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.account')),
                ('external_id', models.CharField(blank=True, max_length=80)),
                ('kind', models.CharField(choices=[('call', 'Call'), ('mail', 'Mail'), ('meeting', 'Meeting'), ('review', 'Review'), ('other', 'Other')], max_length=7)),
                ('happened_at', models.DateTimeField(verbose_name='when')),
                ('contact', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.contact')),
                ('author', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('note', models.CharField(blank=True, max_length=4000)),
                ('next_touch_on', models.DateField(blank=True, null=True, verbose_name='next touch')),
                ('replaced_touch_on', models.DateField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='touch_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='touch_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='touch_ev_user'), models.Index(fields=['pgh_context_id'], name='touch_ev_batch'), models.Index(condition=models.Q(('pgh_label', 'before_delete')), fields=['account'], name='touch_ev_deleted')],
            },
        ),
        migrations.CreateModel(
            name='UserEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to=settings.AUTH_USER_MODEL)),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', models.EmailField(error_messages={'unique': 'Somebody already signs in with this email.'}, max_length=254)),
                ('name', models.CharField(max_length=120)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('manager', 'Manager'), ('rep', 'CS rep'), ('viewer', 'Viewer')], default='viewer', max_length=8)),
                ('team', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.team')),
                ('sees_whole_book', models.BooleanField(default=False, help_text="Sees every team's rows; editing is not widened.")),
                ('is_active', models.BooleanField(default=True)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='user_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='user_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='user_ev_user'), models.Index(fields=['pgh_context_id'], name='user_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='StaleSignal',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='as_stale_signal', serialize=False, to='accounts.account')),
                ('marked_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='AccountEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.account')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(max_length=200)),
                ('external_id', models.CharField(blank=True, help_text='Its id in the system it was imported from.', max_length=80)),
                ('segment', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.segment')),
                ('industry', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.industry')),
                ('region', models.CharField(blank=True, max_length=60)),
                ('owner', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to=settings.AUTH_USER_MODEL)),
                ('family', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.account')),
                ('customer_since_on', models.DateField(blank=True, null=True)),
                ('last_touch_on', models.DateField(blank=True, null=True)),
                ('attributes', models.JSONField(blank=True, default=dict, help_text='Values of the custom attributes, by key.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='account_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='account_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='account_ev_user'), models.Index(fields=['pgh_context_id'], name='account_ev_batch')],
            },
        ),
        migrations.CreateModel(
            name='AccountSignal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='signals', to='accounts.account')),
                ('measured_on', models.DateField()),
                ('usage_change_rate', models.FloatField(blank=True, null=True)),
                ('seat_change_rate', models.FloatField(blank=True, null=True)),
                ('severe_ticket_count', models.PositiveIntegerField(blank=True, null=True)),
                ('reopened_ticket_rate', models.FloatField(blank=True, null=True)),
                ('csat_score', models.FloatField(blank=True, null=True)),
                ('nps_score', models.FloatField(blank=True, null=True)),
                ('late_payment_days', models.FloatField(blank=True, null=True)),
                ('failed_payment_count', models.PositiveIntegerField(blank=True, null=True)),
                ('chargeback_count', models.PositiveIntegerField(blank=True, null=True)),
                ('has_champion_left', models.BooleanField(blank=True, null=True)),
                ('last_touch_on', models.DateField(blank=True, null=True)),
                ('derived_measures', models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'measured_on'), name='account_signal_once_a_day'), models.CheckConstraint(condition=models.Q(('csat_score__isnull', True), models.Q(('csat_score__gte', 1), ('csat_score__lte', 5)), _connector='OR'), name='account_signal_csat', violation_error_message='CSAT is from 1 to 5.'), models.CheckConstraint(condition=models.Q(('nps_score__isnull', True), models.Q(('nps_score__gte', -100), ('nps_score__lte', 100)), _connector='OR'), name='account_signal_nps', violation_error_message='NPS is from -100 to 100.')],
            },
        ),
        migrations.CreateModel(
            name='AccountSignalEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.accountsignal')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('account', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='accounts.account')),
                ('measured_on', models.DateField()),
                ('usage_change_rate', models.FloatField(blank=True, null=True)),
                ('seat_change_rate', models.FloatField(blank=True, null=True)),
                ('severe_ticket_count', models.PositiveIntegerField(blank=True, null=True)),
                ('reopened_ticket_rate', models.FloatField(blank=True, null=True)),
                ('csat_score', models.FloatField(blank=True, null=True)),
                ('nps_score', models.FloatField(blank=True, null=True)),
                ('late_payment_days', models.FloatField(blank=True, null=True)),
                ('failed_payment_count', models.PositiveIntegerField(blank=True, null=True)),
                ('chargeback_count', models.PositiveIntegerField(blank=True, null=True)),
                ('has_champion_left', models.BooleanField(blank=True, null=True)),
                ('last_touch_on', models.DateField(blank=True, null=True)),
                ('derived_measures', models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow(), editable=False)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='accountsignal_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='accountsignal_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='accountsignal_ev_user'), models.Index(fields=['pgh_context_id'], name='accountsignal_ev_batch'), models.Index(condition=models.Q(('pgh_label', 'before_delete')), fields=['account'], name='accountsignal_ev_deleted')],
            },
        ),
        migrations.CreateModel(
            name='Company',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(default='Our company', max_length=120)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('fiscal_year_start_month', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)])),
                ('reporting_currency', models.CharField(default='EUR', max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as EUR.')])),
                ('attribution', models.CharField(choices=[('due_period', 'Due period'), ('order_period', 'Order period'), ('hybrid', 'Hybrid')], default='due_period', max_length=12)),
                ('likelihood_horizon_days', models.PositiveSmallIntegerField(choices=[(90, '90 days before the decision'), (60, '60 days before the decision'), (30, '30 days before the decision'), (0, 'The day before the decision')], default=30)),
                ('rules_version', models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                'verbose_name_plural': 'company',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='company_is_one_row'), models.CheckConstraint(condition=models.Q(('fiscal_year_start_month__gte', 1), ('fiscal_year_start_month__lte', 12)), name='company_fiscal_month', violation_error_message='The fiscal year starts in a month from 1 to 12.')],
            },
        ),
        migrations.CreateModel(
            name='CompanyEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='accounts.company')),
                ('pgh_context', pghistory.utils.JSONField(null=True)),
                ('pgh_context_id', models.UUIDField(null=True)),
                ('id', models.BigIntegerField()),
                ('name', models.CharField(default='Our company', max_length=120)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('fiscal_year_start_month', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)])),
                ('reporting_currency', models.CharField(default='EUR', max_length=3, validators=[django.core.validators.RegexValidator('^[A-Z]{3}$', 'A currency is three capital letters, such as EUR.')])),
                ('attribution', models.CharField(choices=[('due_period', 'Due period'), ('order_period', 'Order period'), ('hybrid', 'Hybrid')], default='due_period', max_length=12)),
                ('likelihood_horizon_days', models.PositiveSmallIntegerField(choices=[(90, '90 days before the decision'), (60, '60 days before the decision'), (30, '30 days before the decision'), (0, 'The day before the decision')], default=30)),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['pgh_obj', 'pgh_id'], name='company_ev_row'), models.Index(models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='company_ev_newest'), models.Index(django.db.models.fields.json.KeyTextTransform('user', 'pgh_context'), models.F('pgh_created_at'), django.db.models.functions.comparison.Coalesce('pgh_context_id', models.Value(uuid.UUID('00000000-0000-0000-0000-000000000000'), models.UUIDField())), models.F('pgh_id'), name='company_ev_user'), models.Index(fields=['pgh_context_id'], name='company_ev_batch')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='company',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_companyevent" ("attribution", "fiscal_year_start_month", "id", "likelihood_horizon_days", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reporting_currency", "time_zone") SELECT old_values."attribution", old_values."fiscal_year_start_month", old_values."id", old_values."likelihood_horizon_days", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."reporting_currency", old_values."time_zone" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."attribution" IS DISTINCT FROM (new_values."attribution") OR old_values."fiscal_year_start_month" IS DISTINCT FROM (new_values."fiscal_year_start_month") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."likelihood_horizon_days" IS DISTINCT FROM (new_values."likelihood_horizon_days") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."reporting_currency" IS DISTINCT FROM (new_values."reporting_currency") OR old_values."time_zone" IS DISTINCT FROM (new_values."time_zone")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='5073d3aa29b96940c5821c5642f94a287031fea7', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_06870', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_company', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='company',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_companyevent" ("attribution", "fiscal_year_start_month", "id", "likelihood_horizon_days", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reporting_currency", "time_zone") SELECT old_values."attribution", old_values."fiscal_year_start_month", old_values."id", old_values."likelihood_horizon_days", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."reporting_currency", old_values."time_zone" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='551d414ef4065de41da9458daa25955f043f4925', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_f1cfc', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_company', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exchangerate',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_exchangerateevent" ("created_at", "currency", "effective_on", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rate") SELECT old_values."created_at", old_values."currency", old_values."effective_on", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."rate" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='46d882269e2e16f20ad03a9aff5ed92dd6f2622d', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_ec6ab', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_exchangerate', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exchangerate',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_exchangerateevent" ("created_at", "currency", "effective_on", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rate") SELECT old_values."created_at", old_values."currency", old_values."effective_on", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."rate" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='3500b4536dd985ff61b04fc1ef91a0dbb5cb466f', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_f484a', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_exchangerate', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='industry',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_industryevent" ("id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='b7a7d7736d5078de41a890e9672c1134384a0e8f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_55205', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_industry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='industry',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_industryevent" ("id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='83ebb21cf7f9c3506a86dc0279c0127ea0deb9ea', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_ad395', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_industry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='segment',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_segmentevent" ("id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position") SELECT old_values."id", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."position" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='907ea1d313df8cf176356d9be33d5250cfd34c38', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_ed52f', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_segment', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='segment',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_segmentevent" ("id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position") SELECT old_values."id", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."position" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='77e20345c3eb21ed16e4c33d26b72c8847cfe402', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_62f90', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_segment', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='team',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_teamevent" ("id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='a46d20aaba8f957f4076f70a5f4a8f9c85df459f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_28609', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_team', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='team',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_teamevent" ("id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='c955814f0c7423242941896c0bc0738e7d33bf4a', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_50781', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_team', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountsignalevent" ("account_id", "chargeback_count", "created_at", "csat_score", "derived_measures", "failed_payment_count", "has_champion_left", "id", "last_touch_on", "late_payment_days", "measured_on", "nps_score", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reopened_ticket_rate", "seat_change_rate", "severe_ticket_count", "usage_change_rate") SELECT old_values."account_id", old_values."chargeback_count", old_values."created_at", old_values."csat_score", old_values."derived_measures", old_values."failed_payment_count", old_values."has_champion_left", old_values."id", old_values."last_touch_on", old_values."late_payment_days", old_values."measured_on", old_values."nps_score", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."reopened_ticket_rate", old_values."seat_change_rate", old_values."severe_ticket_count", old_values."usage_change_rate" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='fd246acd09432fb0036a0183346321b87e5da0eb', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_754ec', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountsignal',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountsignalevent" ("account_id", "chargeback_count", "created_at", "csat_score", "derived_measures", "failed_payment_count", "has_champion_left", "id", "last_touch_on", "late_payment_days", "measured_on", "nps_score", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reopened_ticket_rate", "seat_change_rate", "severe_ticket_count", "usage_change_rate") SELECT old_values."account_id", old_values."chargeback_count", old_values."created_at", old_values."csat_score", old_values."derived_measures", old_values."failed_payment_count", old_values."has_champion_left", old_values."id", old_values."last_touch_on", old_values."late_payment_days", old_values."measured_on", old_values."nps_score", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."reopened_ticket_rate", old_values."seat_change_rate", old_values."severe_ticket_count", old_values."usage_change_rate" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='7a8bf80ae8385ed49865fedc000bf9a37d78e710', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_aace8', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_accountsignal', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='after_insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_contactevent" ("account_id", "created_at", "email", "id", "is_champion", "left_on", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role") SELECT new_values."account_id", new_values."created_at", new_values."email", new_values."id", new_values."is_champion", new_values."left_on", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'after_insert\', new_values."id", new_values."phone", new_values."role" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;', hash='69c1a52093ad893e7606e9ef776548eabed6b2e1', level='STATEMENT', operation='INSERT', pgid='pgtrigger_after_insert_insert_7fa62', referencing='REFERENCING NEW TABLE AS new_values ', table='accounts_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_contactevent" ("account_id", "created_at", "email", "id", "is_champion", "left_on", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role") SELECT old_values."account_id", old_values."created_at", old_values."email", old_values."id", old_values."is_champion", old_values."left_on", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."phone", old_values."role" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='f21ee76132f2ccad687bf2e8893150932717671e', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_fa282', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contact',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_contactevent" ("account_id", "created_at", "email", "id", "is_champion", "left_on", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "role") SELECT old_values."account_id", old_values."created_at", old_values."email", old_values."id", old_values."is_champion", old_values."left_on", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."phone", old_values."role" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='4f28a13150e27d8c4c5394bf155c9cbfec7c488a', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_2612b', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_contact', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_invoiceevent" ("account_id", "amount", "created_at", "currency", "due_on", "external_id", "has_failed", "id", "is_charged_back", "is_disputed", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "settled_on") SELECT old_values."account_id", old_values."amount", old_values."created_at", old_values."currency", old_values."due_on", old_values."external_id", old_values."has_failed", old_values."id", old_values."is_charged_back", old_values."is_disputed", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."settled_on" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."account_id" IS DISTINCT FROM (new_values."account_id") OR old_values."amount" IS DISTINCT FROM (new_values."amount") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."currency" IS DISTINCT FROM (new_values."currency") OR old_values."due_on" IS DISTINCT FROM (new_values."due_on") OR old_values."external_id" IS DISTINCT FROM (new_values."external_id") OR old_values."has_failed" IS DISTINCT FROM (new_values."has_failed") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."is_charged_back" IS DISTINCT FROM (new_values."is_charged_back") OR old_values."is_disputed" IS DISTINCT FROM (new_values."is_disputed") OR old_values."settled_on" IS DISTINCT FROM (new_values."settled_on")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='980036e7ffd30bacdc090127a3bec5c32afbd24f', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_d518f', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_invoice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_invoiceevent" ("account_id", "amount", "created_at", "currency", "due_on", "external_id", "has_failed", "id", "is_charged_back", "is_disputed", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "settled_on") SELECT old_values."account_id", old_values."amount", old_values."created_at", old_values."currency", old_values."due_on", old_values."external_id", old_values."has_failed", old_values."id", old_values."is_charged_back", old_values."is_disputed", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."settled_on" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='08a2a3efea6dcc6d6c866d2f244d9747d75862b1', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_ef83c', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_invoice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='signals_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalesignal (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM new_rows ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='9d5d6898ebda2cf67b26aac6054c4e842fe4a3a3', level='STATEMENT', operation='INSERT', pgid='pgtrigger_signals_insert_286c5', referencing='REFERENCING NEW TABLE AS new_rows ', table='accounts_invoice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='signals_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalesignal (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT account_id FROM old_rows UNION SELECT account_id FROM new_rows) both_rows ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='47ccdec60be4391568ab3d9a78dca954008f3b51', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_signals_update_62ad4', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='accounts_invoice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='signals_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalesignal (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT account_id FROM old_rows WHERE EXISTS (SELECT FROM accounts_account a WHERE a.id = account_id)) gone ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='60f8722b722de3f0f170c71ec3b58c05ad75ea4e', level='STATEMENT', operation='DELETE', pgid='pgtrigger_signals_delete_a6e71', referencing='REFERENCING OLD TABLE AS old_rows ', table='accounts_invoice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountevent" ("attributes", "created_at", "customer_since_on", "external_id", "family_id", "id", "industry_id", "last_touch_on", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "segment_id") SELECT old_values."attributes", old_values."created_at", old_values."customer_since_on", old_values."external_id", old_values."family_id", old_values."id", old_values."industry_id", old_values."last_touch_on", old_values."name", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."region", old_values."segment_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."attributes" IS DISTINCT FROM (new_values."attributes") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."customer_since_on" IS DISTINCT FROM (new_values."customer_since_on") OR old_values."external_id" IS DISTINCT FROM (new_values."external_id") OR old_values."family_id" IS DISTINCT FROM (new_values."family_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."industry_id" IS DISTINCT FROM (new_values."industry_id") OR old_values."last_touch_on" IS DISTINCT FROM (new_values."last_touch_on") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."owner_id" IS DISTINCT FROM (new_values."owner_id") OR old_values."region" IS DISTINCT FROM (new_values."region") OR old_values."segment_id" IS DISTINCT FROM (new_values."segment_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='0bbfd61b3e231b293cb20ba309cd07a72da802f4', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_bd2c2', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_account', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_accountevent" ("attributes", "created_at", "customer_since_on", "external_id", "family_id", "id", "industry_id", "last_touch_on", "name", "owner_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "region", "segment_id") SELECT old_values."attributes", old_values."created_at", old_values."customer_since_on", old_values."external_id", old_values."family_id", old_values."id", old_values."industry_id", old_values."last_touch_on", old_values."name", old_values."owner_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."region", old_values."segment_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='61ef2b83a3d7e6fb24c46b49f8d26e6bdeb73319', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_16d3b', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_account', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='open_accounts_touch', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    UPDATE renewals_openaccount marked SET last_touch_on = n.last_touch_on\n    FROM old_rows o JOIN new_rows n USING (id)\n    WHERE marked.account_id = n.id AND o.last_touch_on IS DISTINCT FROM n.last_touch_on;\n    RETURN NULL;\n', hash='2a1e8a595ede18970147e828cb142529d0ef6403', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_open_accounts_touch_b2680', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='accounts_account', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_userevent" ("email", "id", "is_active", "is_superuser", "joined_at", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "sees_whole_book", "team_id") SELECT old_values."email", old_values."id", old_values."is_active", old_values."is_superuser", old_values."joined_at", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."role", old_values."sees_whole_book", old_values."team_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."email" IS DISTINCT FROM (new_values."email") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."is_active" IS DISTINCT FROM (new_values."is_active") OR old_values."is_superuser" IS DISTINCT FROM (new_values."is_superuser") OR old_values."joined_at" IS DISTINCT FROM (new_values."joined_at") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."role" IS DISTINCT FROM (new_values."role") OR old_values."sees_whole_book" IS DISTINCT FROM (new_values."sees_whole_book") OR old_values."team_id" IS DISTINCT FROM (new_values."team_id")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='a7a4ea56db5223d173e090e9e619f60013b67cec', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_07a59', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_userevent" ("email", "id", "is_active", "is_superuser", "joined_at", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "role", "sees_whole_book", "team_id") SELECT old_values."email", old_values."id", old_values."is_active", old_values."is_superuser", old_values."joined_at", old_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."role", old_values."sees_whole_book", old_values."team_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='f7dd07aed9ef4b3902e7857d38a91728e97d06fa', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_30fbf', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_ticketevent" ("account_id", "category", "created_at", "external_id", "id", "opened_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reopened_count", "reporter", "resolved_on", "satisfaction_score", "severity", "subject", "theme") SELECT old_values."account_id", old_values."category", old_values."created_at", old_values."external_id", old_values."id", old_values."opened_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."reopened_count", old_values."reporter", old_values."resolved_on", old_values."satisfaction_score", old_values."severity", old_values."subject", old_values."theme" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."account_id" IS DISTINCT FROM (new_values."account_id") OR old_values."category" IS DISTINCT FROM (new_values."category") OR old_values."created_at" IS DISTINCT FROM (new_values."created_at") OR old_values."external_id" IS DISTINCT FROM (new_values."external_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."opened_on" IS DISTINCT FROM (new_values."opened_on") OR old_values."reopened_count" IS DISTINCT FROM (new_values."reopened_count") OR old_values."reporter" IS DISTINCT FROM (new_values."reporter") OR old_values."resolved_on" IS DISTINCT FROM (new_values."resolved_on") OR old_values."satisfaction_score" IS DISTINCT FROM (new_values."satisfaction_score") OR old_values."severity" IS DISTINCT FROM (new_values."severity") OR old_values."subject" IS DISTINCT FROM (new_values."subject") OR old_values."theme" IS DISTINCT FROM (new_values."theme")) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='e9ced5eabd165cd6a60cc20675c3474d4b85709e', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_33647', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_ticketevent" ("account_id", "category", "created_at", "external_id", "id", "opened_on", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reopened_count", "reporter", "resolved_on", "satisfaction_score", "severity", "subject", "theme") SELECT old_values."account_id", old_values."category", old_values."created_at", old_values."external_id", old_values."id", old_values."opened_on", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."reopened_count", old_values."reporter", old_values."resolved_on", old_values."satisfaction_score", old_values."severity", old_values."subject", old_values."theme" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='026cd0e68cc43efbdd860c1dd3a09ecc14d9e5e1', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_93250', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='signals_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalesignal (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM new_rows ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='e463e9c23c6c9f0c27fb470ac2600036e7108608', level='STATEMENT', operation='INSERT', pgid='pgtrigger_signals_insert_dbbfd', referencing='REFERENCING NEW TABLE AS new_rows ', table='accounts_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='signals_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalesignal (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT account_id FROM old_rows UNION SELECT account_id FROM new_rows) both_rows ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='34eb4416949d164fbd92eeae865f8e85c28af5ef', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_signals_update_45d74', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='accounts_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ticket',
            trigger=pgtrigger.compiler.Trigger(name='signals_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO accounts_stalesignal (account_id, marked_at)\n    SELECT DISTINCT account_id, now() FROM (SELECT account_id FROM old_rows WHERE EXISTS (SELECT FROM accounts_account a WHERE a.id = account_id)) gone ORDER BY 1\n    ON CONFLICT (account_id) DO UPDATE SET marked_at = excluded.marked_at;\nRETURN NULL;', hash='9c499ef8f1f1b1631b1146dc0fbe77c054a220c1', level='STATEMENT', operation='DELETE', pgid='pgtrigger_signals_delete_302f9', referencing='REFERENCING OLD TABLE AS old_rows ', table='accounts_ticket', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='touch',
            trigger=pgtrigger.compiler.Trigger(name='before_update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_touchevent" ("account_id", "author_id", "contact_id", "created_at", "external_id", "happened_at", "id", "kind", "next_touch_on", "note", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_touch_on") SELECT old_values."account_id", old_values."author_id", old_values."contact_id", old_values."created_at", old_values."external_id", old_values."happened_at", old_values."id", old_values."kind", old_values."next_touch_on", old_values."note", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."replaced_touch_on" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='922dd461e2d44040df34af3694bc109638da1d63', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_before_update_update_e4bc4', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='accounts_touch', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='touch',
            trigger=pgtrigger.compiler.Trigger(name='before_delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "accounts_touchevent" ("account_id", "author_id", "contact_id", "created_at", "external_id", "happened_at", "id", "kind", "next_touch_on", "note", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "replaced_touch_on") SELECT old_values."account_id", old_values."author_id", old_values."contact_id", old_values."created_at", old_values."external_id", old_values."happened_at", old_values."id", old_values."kind", old_values."next_touch_on", old_values."note", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."replaced_touch_on" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='f9ec69290bdf53108d6f845e11cb6d5694a04860', level='STATEMENT', operation='DELETE', pgid='pgtrigger_before_delete_delete_66be1', referencing='REFERENCING OLD TABLE AS old_values ', table='accounts_touch', when='AFTER')),
        ),
    ])]
