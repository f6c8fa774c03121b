"""Run by Alembic inside `dispatch.store.migrate`, on the connection and in the transaction it was given."""

from alembic import context

from dispatch.store import directory  # noqa: F401 - registers its tables
from dispatch.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction is the transaction
)
context.run_migrations()
