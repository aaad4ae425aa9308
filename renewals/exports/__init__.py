"""Exports: the rows of the central table as a file, and how a row in a file is known again when it comes back."""
