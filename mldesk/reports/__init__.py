"""Reports: what a document says, as plain data, and how it becomes a page or a PDF. Knows nothing of runs."""
