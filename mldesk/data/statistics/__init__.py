"""What a table holds: profiles, associations, charts, differences, and the leak guard."""
