"""The residual edges woven into one net: vertices brought together, edges cut where they meet, and the net's faces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weave:
    """The net of the edges without a partner."""
