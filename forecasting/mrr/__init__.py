"""Monthly recurring revenue (MRR), month by month: what it was, what moved it, what is signed and what is expected.

Source: docs/domain.md section 4.3: opening + new + expansion + reactivation - contraction - churn = closing, to the
cent.

AMOUNT  A twelfth of a year's recurring value, in the reporting currency at the rate of the run's day, rounded once for
        each contract, ramp year and renewal (half to even). Everything after that adds and subtracts whole cents, so
        totals are the same however they are grouped. One-off charges never count. What is in a currency without a rate
        is left out, and named.
LINE    What a customer has of a product: all its contracts of that product (upper and lower case alike), and all later
        terms of a contract number, whatever product these name. A line is its newest renewal's owner's, over all of
        its past; the account's owner's where it has none; and in the account's segment of today. Approved exceptions
        are in it: their value recurs, whatever is left out of rates.
LEVEL   What counts on a day: contracts with starts_on <= day <= ends_on, a multi-year term in each of its years, a ramp
        with the amount of its year. Contracts that overlap both count, but a later term of the same number ends the
        one before. A month closes with the level of its last day: value that ends on 31 January is gone in February.
RENEWED The final amount counts from the day after the due date until the next term begins, so a late order leaves no
        gap; where no next term was recorded, for as long as the contract runs on, else as long as the term before.
        The next term is the later one of the same number; else the contract of the same product that starts, as the
        first of its number, from 31 days before to 92 days after the end. Its own amount counts from its start.
        A contract with several renewals had its first baseline before the first of them. Two on one contract follow
        each other: what is said of the later one counts from its due date on.
LOST    Declined or lapsed: gone from the day after the due date, whenever that was recorded, unless a later term of the
        number was. WON BACK: gone then, and there again from the day of the order, not from a start dated back.
OPEN    Goes on as it is, past due too, until it is decided; by probability it does not (see EXPECTED). An open one
        whose next term of the same number is there is taken as signed.
NO ROW  A contract, or a renewed term, that ended without a renewal or next term is gone. One that ends ahead is open at
        the average probability of the book's open value.

MOVEMENT of a line from one month's end to the next: one number of one kind; what came and went in between is no
movement. From nothing: REACTIVATION where the line had something before, EXPANSION (cross-sell) where its customer has
something else, REACTIVATION where the customer had, else NEW. More is EXPANSION, less CONTRACTION, nothing left CHURN.
Cross-sell is also the part of a rise that the renewal names as such; the rest of expansion is upsell.

ACTUAL is what is in effect on the run's day; COMMITTED what is signed and takes effect later (future-dated contracts,
renewals ordered or lost before they are due); EXPECTED what is open, in the month in which it is due (past due: the
running one), with probability p, value b and the mean amount a of the forecast, a twelfth of the cents that every other
page weighs by p (of what has no score yet: the rep's forecast, else b): churn (1 - p) b, contraction p max(b - a, 0),
expansion p max(a - b, 0), each rounded to the cent. What may be won back is not expected.
SIGNED is what contracts hold at a month's end, with nothing of what is open: the closing if all of it were lost.

GRR of a month = (opening - contraction - churn) / opening, at most 1; NRR adds expansion. NAIVE is the last closing
grown by the mean monthly growth of the twelve months before it.
"""
