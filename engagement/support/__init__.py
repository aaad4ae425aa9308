"""Support as a sign: accounts whose tickets differ from their own habit, and what is at stake with them."""
