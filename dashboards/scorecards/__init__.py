"""Scorecards: what reps and teams are held to, credited to who owned a renewal on the day it was decided."""
