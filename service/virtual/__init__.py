"""Virtual sessions and trials: the real core against the simulated patient, in virtual time."""
