"""One account with everything that is known of it, and its story as one timeline."""
