"""Accounts that somebody should have been in touch with: due soon or at risk, and silent for too long."""
