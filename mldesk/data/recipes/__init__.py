"""The steps that clean a table, and how they are carried out."""
