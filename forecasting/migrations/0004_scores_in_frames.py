"""The changed scores of a chunk are staged as bytes beside its lines: half the time of rows that are read only once.

A run that is under way does its chunks again; see the publish, which counts the frames before it trusts them.
"""

from django.db import migrations

CHANGE = """
TRUNCATE forecasting_stagedframe;
ALTER TABLE forecasting_stagedframe RENAME COLUMN content TO lines;
ALTER TABLE forecasting_stagedframe ADD COLUMN scores bytea NOT NULL;
ALTER TABLE forecasting_stagedframe ALTER COLUMN scores SET STORAGE EXTERNAL;
DROP TABLE forecasting_stagedscore;
"""
BACK = """
TRUNCATE forecasting_stagedframe;
ALTER TABLE forecasting_stagedframe DROP COLUMN scores;
ALTER TABLE forecasting_stagedframe RENAME COLUMN lines TO content;
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
"""


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0003_run_rules_judged")]
    operations = [migrations.RunSQL(CHANGE, BACK)]
