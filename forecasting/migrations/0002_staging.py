"""Where a run keeps its results until it is published, and what makes merging them cheap.

The two staging tables belong to the one run that is running: they are emptied when a run begins and when it is over.
They are unlogged, because their content can be computed again; a publish counts what is in them before it trusts it,
since PostgreSQL empties unlogged tables when it recovers from a crash.
"""

from django.db import migrations

CREATE = """
CREATE UNLOGGED TABLE forecasting_stagedscore (
    renewal_id bigint NOT NULL,
    account_id bigint NOT NULL,
    timing_class smallint NOT NULL,
    timing_days integer NOT NULL,
    risk_score double precision NOT NULL,
    likelihood double precision NOT NULL,
    likelihood_count integer NOT NULL,
    probability double precision NOT NULL,
    completeness double precision NOT NULL,
    contributions smallint[] NOT NULL,
    edit_count integer NOT NULL
);
CREATE UNLOGGED TABLE forecasting_stagedframe (
    chunk_id bigint PRIMARY KEY,
    content bytea NOT NULL
);
ALTER TABLE forecasting_stagedframe ALTER COLUMN content SET STORAGE EXTERNAL;

-- A chunk reads the stored scores of its accounts, to stage only what differs.
CREATE INDEX renewal_score_account ON renewals_renewalscore (account_id);
"""
DROP = """
DROP INDEX renewal_score_account;
DROP TABLE forecasting_stagedframe;
DROP TABLE forecasting_stagedscore;
"""


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0001_initial"), ("renewals", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
