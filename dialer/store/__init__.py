"""PostgreSQL; the only room that imports asyncpg."""
