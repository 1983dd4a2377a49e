"""Pages and dialogs about runs: training, search, comparison."""
