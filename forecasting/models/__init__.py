"""How much: runs of the recompute, and the forecast lines they publish."""

from forecasting.models.accuracy import Backtest, BacktestQuerySet, BacktestScope, BacktestScopeQuerySet
from forecasting.models.learning import LikelihoodModel, LikelihoodModelQuerySet
from forecasting.models.lines import ForecastLine, LineSource
from forecasting.models.mrr import (
    MrrCall,
    MrrCohort,
    MrrLevel,
    MrrLine,
    MrrMovement,
    MrrOfferLine,
    MrrRollUp,
    MrrTriangle,
)
from forecasting.models.payments import PaymentFit
from forecasting.models.reps import CallRecord
from forecasting.models.runs import Run, RunChunk, RunProgress, RunQuerySet
from forecasting.models.scenarios import Scenario, ScenarioQuerySet
from forecasting.models.snapshots import Snapshot, SnapshotFrame
from forecasting.models.stale import FreshScore, StaleMonth, StaleScore
from forecasting.models.targets import Target, TargetQuerySet

__all__ = [
    "Backtest",
    "BacktestQuerySet",
    "BacktestScope",
    "BacktestScopeQuerySet",
    "CallRecord",
    "ForecastLine",
    "FreshScore",
    "LikelihoodModel",
    "LikelihoodModelQuerySet",
    "LineSource",
    "MrrCall",
    "MrrCohort",
    "MrrLevel",
    "MrrLine",
    "MrrMovement",
    "MrrOfferLine",
    "MrrRollUp",
    "MrrTriangle",
    "PaymentFit",
    "Run",
    "RunChunk",
    "RunProgress",
    "RunQuerySet",
    "Scenario",
    "ScenarioQuerySet",
    "Snapshot",
    "SnapshotFrame",
    "StaleMonth",
    "StaleScore",
    "Target",
    "TargetQuerySet",
]
