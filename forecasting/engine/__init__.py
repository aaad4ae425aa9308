"""The numerical engine: arrays in, arrays out. No Django, no database, no clock, no random numbers.

One row is one renewal and every function is vectorised over rows; a recompute of the whole book and the re-scoring
of one edited row call the same functions.

Rooms
-----
arrays        the types below, the marks for missing values, and the two checks that name a bad row
timing        timing class of a renewal, and the policy version it is judged by (docs/domain.md section 3)
booking       one renewal split into booking types (section 4.2)
rates         renewal rates, timing mix and trailing curve of a period (section 4.3)
capacity      productive hours, and the renewals they are enough for (section 4.4)
factors       raw signals to risk factors between 0 and 1 (section 5)
risk          risk score, contributions, completeness, band (section 5)
log_odds      log-odds and back
likelihood    shrunken renewal rates from the company's own decided renewals (section 5)
probability   likelihood and the rep's confidence joined by their measured records (section 5)
distribution  exact distribution of what a set of open renewals will bring (section 5)

Units
-----
Money is int64 cents, days are day numbers since 1970-01-01 (`numpy.datetime64[D]` as an integer), every rate,
confidence, likelihood and probability is a fraction between 0 and 1. A missing day is `NO_DAY`, a missing id
`NO_ID`, a missing float NaN.
"""
