"""Start a runner here (later: over SSH), talk to it, follow its jobs."""
