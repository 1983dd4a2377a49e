"""Runs that other programs kept: read as plain data, with none of their libraries, and nothing of theirs executed."""
