"""The risk weights beside what came: do they rank, and would others rank better?"""
