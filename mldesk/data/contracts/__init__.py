"""What files must be like, and whether they are."""
