"""What the pages show, as plain observable objects without Qt. Only they call the workbench, off the UI thread."""
