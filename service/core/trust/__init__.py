"""How far a channel's readings may be believed: what is remembered, checked, and said of it."""
