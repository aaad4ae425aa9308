"""What the totals are made of."""
