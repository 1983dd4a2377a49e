"""The command line: every service of the workbench as a command, for scripts and for machines without a screen."""
