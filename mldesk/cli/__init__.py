"""The services of the workbench as commands."""
