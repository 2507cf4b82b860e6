"""One function per thing a user does; each takes the context and the actor."""
