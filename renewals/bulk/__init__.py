"""Edits of many rows at once: planned by one statement, looked at, applied by another, in one step of the history."""
