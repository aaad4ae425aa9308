"""Whether to believe the forecasts: the past replayed with rolling origins, and frozen calls beside what came."""
