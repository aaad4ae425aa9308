"""Blocks of cells: pasted, filled with one value, cleared. One step, or nothing at all."""
