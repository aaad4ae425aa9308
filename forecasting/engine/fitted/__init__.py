"""The likelihood that is fitted on a company's own decided renewals. Source: docs/domain.md section 5.

`fit(rows) -> Model`, `model.likelihood(rows)`, `model.explain(rows)`; for JSON `model.to_dict()` and `Model.from_dict`.
Nothing is pickled, nothing random: the same rows give the same model in whatever order they come.

Rooms
-----
rows          columns of numbers and categories, cohorts, outcomes
shrinkage     rates of groups drawn to their parents
features      columns to matrices, as learned on the training rows alone
segments      shrunken segment rates: the simple answer
logistic      penalised logistic regression; the risk score on a fitted scale
trees         gradient boosting as plain arrays
calibration   Platt's line or the isotonic staircase
level         the miss of the newest closed cohort, shrunk
candidates    the ways to a likelihood, from the plain rate to boosting
choice        which one: the simplest that no richer one beats on later cohorts
advice        which columns matter, and which changes would move a renewal most
shock         the shared shock of a period, and the distribution of what it will bring
horizons      its size for what is still open so many days before a period's end
model         the fitted model
metrics       AUC, Brier, skill, log loss, calibration, error of the total, coverage
"""

from forecasting.engine.fitted.model import Explanation, Model, fit, fit_apart
from forecasting.engine.fitted.rows import Categories, Column, Numbers, Rows

__all__ = ["Categories", "Column", "Explanation", "Model", "Numbers", "Rows", "fit", "fit_apart"]
