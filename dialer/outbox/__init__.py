"""What leaves after a call, from the outbox of the database: webhooks."""
