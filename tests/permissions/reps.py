"""Reps beside the model, and where the two disagree: everybody sees what they may know of."""

from tests.permissions import Row, everybody

ROWS = [
    Row("forecasting:reps", everybody(200)),
    Row("forecasting:reps", everybody(405), method="post"),
    Row("forecasting:disagreements", everybody(200)),
    Row("forecasting:disagreements", everybody(405), method="post"),
]
