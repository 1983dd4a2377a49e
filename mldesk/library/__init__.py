"""What the user keeps: SQLite rows through SQLAlchemy, handed out as plain records."""
