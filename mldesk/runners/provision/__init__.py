"""Making a box a runner: look at it, say what will be done, do it, and undo it. Knows no SSH but in ``over_ssh``."""
