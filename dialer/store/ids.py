"""Ids of attempts and shifts: UUIDs of the very class in which PostgreSQL's come back.

It is a ``uuid.UUID`` that hashes and compares in C; the busiest dictionaries of the engine are kept by such ids.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from asyncpg.pgproto import pgproto


def stored(uid: UUID) -> UUID:
    """The same id as it comes from the database."""
    return pgproto.UUID(uid.bytes)


def new_id() -> UUID:
    """A random id."""
    return stored(uuid4())
