"""The control process: drivers, core and journal. Nothing here waits for a browser or a disk."""
