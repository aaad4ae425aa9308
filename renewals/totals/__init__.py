"""What the filtered rows are worth: the strip over the table, what it is made of, and each group's share."""
