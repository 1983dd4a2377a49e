"""What a user can do, one service per noun. No Qt, no command line: both faces call these from any thread."""
