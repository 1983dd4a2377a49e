"""Read, profile, clean, check and split tables."""
