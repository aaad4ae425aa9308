"""Writes of this room: runs from request to publication, and the scores and forecast lines between two runs."""

from forecasting.requests import hold_waiting_run, request_run
from forecasting.services.chunks import stage_chunk
from forecasting.services.data_rules import judge_data_rules
from forecasting.services.preview import preview_timing
from forecasting.services.publish import publish_run
from forecasting.services.refresh import refresh_stale_months
from forecasting.services.runs import (
    claim_run,
    compute_chunk,
    continue_run,
    dispatch_runs,
    execute_run,
    fail_run,
    prepare_run,
    request_nightly,
    start_run,
)
from forecasting.services.scores import score_renewals, score_stale_renewals

__all__ = [
    "claim_run",
    "compute_chunk",
    "continue_run",
    "dispatch_runs",
    "execute_run",
    "fail_run",
    "hold_waiting_run",
    "judge_data_rules",
    "prepare_run",
    "preview_timing",
    "publish_run",
    "refresh_stale_months",
    "request_nightly",
    "request_run",
    "score_renewals",
    "score_stale_renewals",
    "stage_chunk",
    "start_run",
]
