"""How an account pays, and what of its renewals is expected to be collected."""
