"""Searching for the best model: many trials on the same rows, then a blend of the best."""
