"""MLDesk: train, compare and share models from a desk. Importing this package imports nothing else."""

__version__ = "0.1.0"
