"""The room's service: core, journal, control process, web process and supervisor."""
