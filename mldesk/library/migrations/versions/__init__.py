"""One file per migration, never changed once released; each comes with a relic database that a test upgrades."""
