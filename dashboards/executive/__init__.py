"""The executive page: one screen of where the book stands, and what matters most this week."""
