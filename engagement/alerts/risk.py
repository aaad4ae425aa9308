"""What the risk of each open renewal is measured against, so that a jump can be told from a high risk.

The reference is the lowest risk since `reference_on`, which is at most WINDOW_DAYS ago: a risk that crept up more
slowly than that is no jump, and one that jumped stays one for as long as it is news. Scores have no history; these
marks are brought up to date for the rows that an edit scored, and for the whole book after each run.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

WINDOW_DAYS: Final = 30
OBSERVE: Final = """
INSERT INTO engagement_riskmark AS m
    (renewal_id, reference_risk, reference_on, risk, jump, peak_jump, peak_risk)
SELECT r.id, s.risk_score, %(today)s, s.risk_score, 0, 0, s.risk_score
FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
WHERE r.outcome = 'open' AND s.risk_score IS NOT NULL {among}
ON CONFLICT (renewal_id) DO UPDATE SET
    reference_risk = {reference}, reference_on = {reference_on}, risk = excluded.risk,
    jump = excluded.risk - {reference},
    peak_jump = CASE WHEN {is_new} THEN 0 ELSE greatest(m.peak_jump, excluded.risk - {reference}) END,
    peak_risk = CASE WHEN {is_new} THEN excluded.risk ELSE greatest(m.peak_risk, excluded.risk) END
WHERE m.risk <> excluded.risk OR {is_old}
"""
IS_OLD: Final = f"m.reference_on <= %(today)s - {WINDOW_DAYS}"
IS_NEW: Final = f"({IS_OLD} OR excluded.risk < m.reference_risk)"
PARTS: Final = {
    "is_old": IS_OLD,
    "is_new": IS_NEW,
    "reference": f"(CASE WHEN {IS_NEW} THEN excluded.risk ELSE m.reference_risk END)",
    "reference_on": f"(CASE WHEN {IS_NEW} THEN excluded.reference_on ELSE m.reference_on END)",
}
CLEAR: Final = """
DELETE FROM engagement_riskmark m
WHERE {among} NOT EXISTS (SELECT FROM renewals_renewal r WHERE r.id = m.renewal_id AND r.outcome = 'open')
"""


def observe_risk(cursor: Any, *, today: dt.date, renewal_ids: list[int] | None) -> None:
    """Bring the marks of these renewals up to date, or those of the whole book where None."""
    if renewal_ids == []:
        return
    values = {"today": today, "ids": renewal_ids}
    among = "" if renewal_ids is None else "AND r.id = ANY(%(ids)s)"
    cursor.execute(OBSERVE.format(among=among, **PARTS), values)
    cursor.execute(CLEAR.format(among="" if renewal_ids is None else "m.renewal_id = ANY(%(ids)s) AND"), values)
