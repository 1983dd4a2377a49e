"""Long fault loops. Not part of the ordinary test run; each module says how to start it."""
