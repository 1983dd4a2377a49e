"""Pages and dialogs about datasets."""
