"""Months of the book, added up: what the dashboards read instead of a million rows.

CELL      A month of the whole book, of a team or of an owner, in one segment (`dashboards.models.Cell`). Source of
          every definition: docs/domain.md, sections 3, 4.2 and 4.3.
COHORT    The renewals that are due in the month, less approved exceptions and what has no score or no exchange rate.
          As of the day of the run: renewed (early, on time, late), lost (lost, lapsed, and win-backs, which had
          lapsed), past due (open after the due day, within tolerance) and open; together they are the due ones.
AMOUNTS   Cents of the reporting currency at the rates of the run's day, each renewal converted by itself.
DELAY     Calendar days from the due day to the order, of renewed ones; AGE, from the due day to the run's day, of those
          past due. Both in classes that end with the days of DELAYS and AGES; the last class has no end.
ACCOUNTS  are counted once a month and once a fiscal quarter: in the quarter's first month that has one.
OPEN      A narrow row of each open renewal that counts and has not lapsed (`dashboards.models.OpenRenewal`), and sums
          of them by segment on each level; what of an account was changed is taken off them and added again.
LOST      What was lost or given up of what is due in a month, by reason, segment, booking type, owner and product: a
          row of bytes a month (`dashboards.models.LostMonth`).

Cells follow each published run in a transaction of their own. In between, triggers mark the months and accounts of
every change; the fiscal quarters of these are added up again within seconds, or by the first page that is opened.
"""

from typing import Final

DELAYS: Final = (-91, -28, -7, 0, 7, 14, 21, 28, 42, 56, 91)
AGES: Final = (7, 14, 28, 56, 91)
