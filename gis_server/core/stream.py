"""What travels on the live stream (server-sent events), and who may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gis_server.core.access import Actor, Tier

INCIDENT = "incident"
GENERATION = "generation"
ACKNOWLEDGED = "acknowledged"
"""Somebody took notice of an urgent incident."""

SCENE = "scene"
"""The desk sent a scene to a wall."""

TOUR = "tour"
"""A wall got another tour."""

COUNTS = "counts"
"""The counts of a wall, told to its screens that are there; not kept, and so without a position (0)."""


_OF_INCIDENTS = frozenset({INCIDENT, ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event with its place in the stream: positions are 1, 2, 3 … without a gap, in the order of publication.

    ``area_path`` are the codes of the areas it happened in, county first; empty concerns the whole deployment, and of an incident
    says that it lies in nobody's territory.
    """

    position: int
    kind: str
    at: datetime
    tier: Tier
    area_path: tuple[str, ...]
    payload: Mapping[str, object]

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor's tier and territory allow it; what concerns everybody is not held back."""
        concerns_everybody = not self.area_path and self.kind not in _OF_INCIDENTS
        return self.tier <= actor.tier and (concerns_everybody or actor.territory.holds(self.area_path))
