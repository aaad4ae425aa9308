"""The one company row, and the table of the database cache."""

from typing import Any

from django.core.management import call_command
from django.db import migrations


def create_company(apps: Any, schema_editor: Any) -> None:
    apps.get_model("accounts", "Company").objects.create(pk=1)
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_schema")]
    operations = [migrations.RunPython(create_company, migrations.RunPython.noop, elidable=False)]
