"""Where a run keeps its results until it is published, and what makes merging them cheap.

The staging table belongs to the one run that is running: it is emptied when a run begins and when it is over. It is
unlogged, because its content can be computed again; a publish counts what is in it before it trusts it, since
PostgreSQL empties unlogged tables when it recovers from a crash. The changed scores of a chunk are staged as bytes
beside its lines: half the time of rows that are read only once.
"""

from django.db import migrations

CREATE = """
CREATE UNLOGGED TABLE forecasting_stagedframe (
    chunk_id bigint PRIMARY KEY,
    lines bytea NOT NULL,
    scores bytea NOT NULL
);
ALTER TABLE forecasting_stagedframe ALTER COLUMN lines SET STORAGE EXTERNAL;
ALTER TABLE forecasting_stagedframe ALTER COLUMN scores SET STORAGE EXTERNAL;

-- A chunk reads the stored scores of its accounts, to stage only what differs.
CREATE INDEX renewal_score_account ON renewals_renewalscore (account_id);
"""
DROP = """
DROP INDEX renewal_score_account;
DROP TABLE forecasting_stagedframe;
"""


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0001_schema")]
    operations = [migrations.RunSQL(CREATE, DROP)]
