"""Probabilities that people pin: written here, counted by the engine, judged by what came."""
