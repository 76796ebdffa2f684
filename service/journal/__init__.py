"""The record of the room: every event and effect, in order, hash-chained, durable when said so."""
