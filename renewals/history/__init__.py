"""History: what was changed, by whom and how; reading it, taking it back, and letting go of what is old."""
