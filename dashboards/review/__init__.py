"""The early-month review: what is due next, the call on it, and what came of the last one."""
