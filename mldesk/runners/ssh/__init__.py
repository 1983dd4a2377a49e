"""Runners on other machines, reached over SSH. Nothing is imported here: paramiko loads with a first connection."""
