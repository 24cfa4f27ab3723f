"""Scale and speed: commands that print a table."""
