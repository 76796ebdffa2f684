"""What is made of a finished record: its proof and its export for other programs."""
