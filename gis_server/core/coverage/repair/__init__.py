"""Mending a coverage: ``plan_repair`` finds the moves, ``apply`` carries out those that are wanted."""
