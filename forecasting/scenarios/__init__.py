"""What if: the same engine over shifted inputs, beside the forecast as it is."""
