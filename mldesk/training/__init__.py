"""Fit, score and explain, inside a trainer process. ``catalogue`` and ``parameters`` import nothing heavy."""
