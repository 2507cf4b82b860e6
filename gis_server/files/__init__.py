"""The only readers and writers of geodata files."""
