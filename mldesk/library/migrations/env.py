"""What Alembic runs for every command: the caller's connection, inside the caller's transaction."""

from alembic import context

from mldesk.library.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
