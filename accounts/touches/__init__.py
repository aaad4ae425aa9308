"""Calls, mails, meetings and reviews with a customer, and the people there."""
