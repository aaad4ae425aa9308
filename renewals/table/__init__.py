"""The central table: from its address to its rows, and the edit of a cell."""
