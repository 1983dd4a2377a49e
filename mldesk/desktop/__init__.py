"""The window. PySide6, qasync and pyqtgraph live here and nowhere else."""
