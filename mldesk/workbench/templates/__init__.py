"""Ready projects to start from: made-up data of a believable kind, what to learn from them, and with which settings."""
