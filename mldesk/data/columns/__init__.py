"""What type a column of text is, and its values in that type."""
