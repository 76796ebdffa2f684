"""The simulated room: a virtual patient and circuit, and byte-level instruments on ptys."""
