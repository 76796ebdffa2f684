"""The web process: reads the journal, sends typed commands, cannot reach a device."""
