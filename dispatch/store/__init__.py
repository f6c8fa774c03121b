"""What is kept: typed tables (`tables`), one Alembic history (`migrations`), transactions (`store`)."""
