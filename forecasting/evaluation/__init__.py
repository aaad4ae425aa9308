"""Judges the likelihood on labelled files: read one, split it, fit on the older part, measure on the newer.

The fit is `forecasting.engine.fitted.fit`, the one that a recompute uses; nothing here is known to it.
"""
