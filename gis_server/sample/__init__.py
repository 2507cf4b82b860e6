"""The sample city, grown from a seed: pure geometry and tables, no files (see ``city.make_city``)."""
