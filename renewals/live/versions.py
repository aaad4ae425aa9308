"""The version of a row, which an open page holds and a later look compares.

The newest event of the row says whether somebody wrote in it: whoever changes a row holds its lock while the event gets
its id, so within a row a later change always has the higher one, however late it commits. No mark over the whole book
has that property: the event of a long transaction would slip in below it.
"""

from django.db.models import BigIntegerField
from django.db.models.expressions import RawSQL

# An index look-up each: the history of a row is ordered by its events' ids.
NEWEST_EVENT = RawSQL(
    'coalesce((SELECT max(pgh_id) FROM renewals_renewalevent WHERE pgh_obj_id = "renewals_renewal"."id"), 0)',
    (),
    output_field=BigIntegerField(),
)
# The transactions that wrote the row's score and its data quality: what is computed has no history. A later one has a
# higher number, and a row of quality that is gone counts as 0, so the sum changes with either.
DERIVED_VERSION = RawSQL(
    """
    coalesce((SELECT xmin::text::bigint FROM renewals_renewalscore WHERE renewal_id = "renewals_renewal"."id"), 0)
    + coalesce((SELECT xmin::text::bigint FROM renewals_renewalquality WHERE renewal_id = "renewals_renewal"."id"), 0)
    """,
    (),
    output_field=BigIntegerField(),
)


def version_text(newest_event: int, derived_version: int) -> str:
    return f"{newest_event}-{derived_version}"
