"""Byte-level instruments, written from the makers' manuals; they share no code with the drivers."""
