"""What crosses to a runner: job specs, events, the journal, objects and the locked link."""
