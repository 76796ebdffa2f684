"""What is read out of a session's record: its story in words, delays, dose."""
