"""The way of an event: decided, made durable in one transaction, then acted on."""
