"""Health of accounts: its list and back-test, its weights, and the signals that people and programs post."""
