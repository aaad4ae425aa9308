"""One renewal with all that is known of it: as a page, and in a drawer beside the table."""
