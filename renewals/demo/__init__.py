"""A demo company whose book looks and behaves like a real one: made by a random process, from a seed.

The generating process (parameters in `profile`), for each contract line of an account, term after term:

1. An account has a segment, an industry, a region and a lasting, hidden health `h ~ N(0, 1)`; every decision has the
   hidden state `z = 0.6 h + 0.8 e`, `e ~ N(0, 1)`.
2. A line has a term (12, 24 or 36 months by segment), a due day drawn with the season (fiscal quarter ends, and January
   most of all), a first amount lognormal by segment, perhaps a ramp, an uplift cap, a notice period.
3. `logit P(renewed) = segment + industry + 0.85 z - 0.45 (first term) - 0.9 (champion left) - 8 (uplift above 5 %)
   + plan + 0.06 (integrations - 5) + s_q`, where plan is -0.35, 0 or 0.25 and `s_q ~ N(0, 0.25)` is a shock that all
   renewals due in one fiscal quarter share.
4. A renewed one is ordered around its due date by the industry's norm, later by late payers, or before it where it
   renews by itself; it grows, shrinks or takes the planned uplift, and its final amount is the next term's baseline.
   A lost one is declined before it is due, or goes silent.
5. What happened up to the day of the demo is recorded; what was still to come is open.
6. Signals are noisy readings of `z`, a month or more before the decision, and some are missing. They tell winners from
   losers weakly, as they do in reality: the best use of them and the segment has an area under the ROC curve of 0.7.
7. A rep believes `0.8 logit P + bias + noise`, with a bias and a noise of their own, and says it rounded to 5 %.
8. What was decided in the last year was open before, and 45 % of what is open was worked once in the last five months:
   history has the row as it was then (`past`), so that the book reads as it stood at any moment of that year.

`h`, `z` and `P` are thrown away; nothing in the product can read them.
"""
