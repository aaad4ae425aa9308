"""Data quality: what in the book breaks which rule, and what mends it (docs/domain.md section 7)."""
