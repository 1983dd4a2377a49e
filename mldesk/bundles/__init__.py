"""The file a model leaves the desk in: write, inspect, verify, sign, predict, serve."""
