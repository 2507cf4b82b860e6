"""Mending a coverage: ``plan_repair`` finds the moves, ``apply`` carries out those that are wanted, ``repair_tree`` both."""

from gis_server.core.coverage.repair.apply import apply
from gis_server.core.coverage.repair.moves import Act, Change, Limits, Merits, Move, Policy, RepairPlan
from gis_server.core.coverage.repair.plan import plan_repair
from gis_server.core.coverage.repair.tree import Level, Nature, TreeRepair, repair_tree

__all__ = [
    "Act",
    "Change",
    "Level",
    "Limits",
    "Merits",
    "Move",
    "Nature",
    "Policy",
    "RepairPlan",
    "TreeRepair",
    "apply",
    "plan_repair",
    "repair_tree",
]
