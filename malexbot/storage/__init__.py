"""PostgreSQL: connections, migrations, the embedded server, and what is kept in it."""
