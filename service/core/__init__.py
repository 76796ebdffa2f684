"""The pure core: `step(state, event) -> (state, effects)`, no I/O, no clock, no randomness."""
