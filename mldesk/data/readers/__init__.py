"""One reader per kind of file or database: bytes in, rows out."""
