"""What is made of a session's record: its story in words, delays, dose; its proof and export."""
