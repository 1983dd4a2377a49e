"""What a user can do: one service per noun. No Qt, no argument parsing."""
