"""Health of accounts, brought up to date where something was measured, weighed anew or became too old."""

from forecasting.health.refresh import refresh_health, refresh_health_of

__all__ = ["refresh_health", "refresh_health_of"]
