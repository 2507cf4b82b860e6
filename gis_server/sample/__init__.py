"""The sample city, grown from a seed."""
