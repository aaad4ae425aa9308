"""Targets: what a company, a team or a person is held to, by month or fiscal quarter."""

from forecasting.targets.reads import read_targets

__all__ = ["read_targets"]
