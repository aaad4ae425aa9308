"""Which accounts need attention and why: flags by rule and by hand, and watchlists."""
