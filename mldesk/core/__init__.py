"""Ids, errors, clock, paths, durable files and observable state. Standard library only."""
