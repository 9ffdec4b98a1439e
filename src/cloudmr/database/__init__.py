"""What the Brain remembers: tables, repositories and migrations, the same on SQLite and PostgreSQL."""
