"""Pages and dialogs about models."""
