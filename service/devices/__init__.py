"""`hipec devices`: one instrument on a bench, as a technician asks, moves and replays it."""
