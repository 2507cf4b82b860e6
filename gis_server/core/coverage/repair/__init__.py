"""Mending a coverage: ``plan_repair`` finds the moves, ``apply`` carries out those that are wanted."""

from gis_server.core.coverage.repair.apply import apply
from gis_server.core.coverage.repair.moves import Act, Change, Limits, Merits, Move, Policy, RepairPlan
from gis_server.core.coverage.repair.plan import plan_repair

__all__ = ["Act", "Change", "Limits", "Merits", "Move", "Policy", "RepairPlan", "apply", "plan_repair"]
