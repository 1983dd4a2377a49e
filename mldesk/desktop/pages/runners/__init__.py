"""Pages and dialogs about runners."""
