"""What others change while a page is open."""
