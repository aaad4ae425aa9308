"""Judges the likelihood on labelled files: read one, split it, fit on the older part, measure on the newer.

The fit is `forecasting.engine.fitted.fit`; nothing here is known to it.
"""
