"""Human and model: how good calls were, what they count for, and where rep and model disagree."""
