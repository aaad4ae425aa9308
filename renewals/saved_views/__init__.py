"""Saved views: names for addresses of the central table, one's own, a team's or everyone's."""
