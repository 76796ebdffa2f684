"""Device drivers: one file per device family, each a sans-I/O codec and a driver of dialogues."""
