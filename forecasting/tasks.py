"""Celery tasks: thin callers of services. Each may be delivered twice, or again after its worker was killed."""

from accounts.models import get_company
from config.celery import app
from forecasting import services, snapshots
from forecasting.accuracy import services as accuracy
from forecasting.accuracy.quietly import run_quietly
from forecasting.health import refresh_health
from forecasting.learning import services as learning
from forecasting.mrr import services as mrr
from forecasting.reps import services as reps
from renewals.overrides import services as overrides


@app.task
def start_run() -> None:
    services.start_run()


@app.task
def compute_chunk(run_id: int, chunk_id: int) -> None:
    services.compute_chunk(run_id=run_id, chunk_id=chunk_id)


@app.task
def refresh_stale_months() -> None:
    services.refresh_stale_months()


@app.task
def dispatch_waiting_runs() -> None:
    """From beat, every few seconds: what the broker lost, or never got, is done after all."""
    services.dispatch_runs()
    today = get_company().today()
    overrides.end_expired(as_of=today)
    services.score_stale_renewals(as_of=today)
    services.refresh_stale_months()
    services.judge_data_rules()
    mrr.roll_up_mrr()
    refresh_health(as_of=today)
    learning.dispatch_fits()
    reps.measure_calls()
    accuracy.dispatch_backtests()


@app.task
def request_nightly_run() -> None:
    """From beat, every hour: after midnight in the company's time zone there is nothing for the new day yet."""
    services.request_nightly()


@app.task
def fit_likelihood() -> None:
    learning.fit_likelihood()


@app.task
def request_due_fit() -> None:
    """From beat, every hour: weekly, and when much was decided since."""
    learning.request_due_fit()


@app.task
def freeze_due_calls() -> None:
    """From beat, every hour: a call that is over and was not made is made, from history where it is late."""
    snapshots.freeze_due_calls()


@app.task
def run_waiting_backtest() -> None:
    """Minutes of work that nobody waits for: what people do goes first."""
    run_quietly(accuracy.run_waiting_backtest)


@app.task
def request_monthly_backtest() -> None:
    """From beat, every hour: once a month."""
    accuracy.request_monthly_backtest()
