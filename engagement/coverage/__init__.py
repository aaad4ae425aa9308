"""Who deserves high touch: value at risk saved per hour, within the hours that each rep has."""
