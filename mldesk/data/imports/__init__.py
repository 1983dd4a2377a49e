"""From sources to one table in the object store, whole or not at all."""
