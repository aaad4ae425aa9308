"""Alerts: a cause is found within seconds, told once, and told to those who may know of it."""
