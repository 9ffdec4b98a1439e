"""What Alembic runs to migrate: always on the connection that `migrate.py` hands over."""

from alembic import context

from cloudmr.database.migrate import CONNECTION
from cloudmr.database.tables import metadata

# SQLite cannot alter a table in place; in batch mode Alembic copies it.
context.configure(connection=context.config.attributes[CONNECTION], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
