"""People with roles, enrolled stations, and who is signed in: tables beside the journal."""
