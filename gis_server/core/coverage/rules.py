"""Which rule, clause and severity a kind of finding has, and the size and code rules, per profile.

Sources: requirements 3.2 (A, B) and 5.3. Where a document is silent the clause says "product brief" and the value is
the product's default, so that nobody takes it for law.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import CodeFormat, Enforcement, ManagementMode, UrbanSizeLogic

BRIEF = "product brief"
"""The clause of a rule that stands in no document."""

RULE_OF: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.GAP: "V1",
        Kind.BAY: "V1",
        Kind.MISSING_CELL: "V1",
        Kind.OVERLAP: "V2",
        Kind.CONTAINED: "V2",
        Kind.DUPLICATE_GEOMETRY: "V2",
        Kind.OUTSIDE: "V3",
        Kind.WRONG_PARENT: "V3",
        Kind.OTHER_PARENT_OVERLAP: "V4",
        Kind.NEAR_MISS: "V1",
        Kind.INVALID_GEOMETRY: "V5",
        Kind.EMPTY_GEOMETRY: "V5",
        Kind.MULTIPART: "V6",
        Kind.SIZE: "V7",
        Kind.SUB_GRID_SIZE: "V8",
        Kind.SUB_GRID_OUTSIDE: "V8",
        Kind.EXCLUSIVE_HOST: "V10",
        Kind.ADDRESS_UNASSIGNED: "V11",
        Kind.DEPARTMENT_LAYER: "V12",
        Kind.DUPLICATE_CODE: "V13",
        Kind.BAD_CODE: "V13",
        Kind.CODE_GAP: "V13",
        Kind.CODE_PREFIX: "V13",
        Kind.ROSTER: "V14",
    }
)

_WARNINGS = frozenset({Kind.NEAR_MISS, Kind.MULTIPART, Kind.SIZE})

# rule → profile → clause; a profile that is not named has the product's brief as its source
_CLAUSE: Mapping[str, Mapping[str, str]] = {
    "V1": {"zhenjiang": "zhenjiang 10(1)"},
    "V2": {"gansu": "gansu 一(一)", "heihe": "heihe 8(1)"},
    "V3": {"heilongjiang": "heilongjiang 3.1", "taizhou": "taizhou 3.1", "gansu": "gansu 一(一)"},
    "V4": {"heilongjiang": "heilongjiang 3.1", "gansu": "gansu 一(一)", "heihe": "heihe 8(1)"},
    "V6": {"heilongjiang": "heilongjiang 6.2.1", "taizhou": "taizhou 5.1.1"},
    "V7": {"heilongjiang": "heilongjiang 6.1.1", "taizhou": "taizhou 5.1.2", "gansu": "gansu 一(一)2"},
    "V8": {"heilongjiang": "heilongjiang 6.1.3"},
    "V9": {"heilongjiang": "heilongjiang 6.1.2"},
    "V10": {"heilongjiang": "heilongjiang 6.1.2", "zhenjiang": "zhenjiang 9(2)"},
    "V11": {"gansu": "gansu 二(一)2(1)", "zhenjiang": "zhenjiang 17(1)"},
    "V12": {
        "taizhou": "taizhou 5.1.3",
        "gansu": "gansu 一(一)3",
        "heihe": "heihe 9",
        "zhenjiang": "zhenjiang 10(1)",
    },
    "V13": {"heilongjiang": "heilongjiang 6.4.2"},
    "V14": {"heilongjiang": "heilongjiang 6.2.2", "heihe": "heihe 11", "zhenjiang": "zhenjiang 16(2)"},
}
_CLAUSE_OF_KIND: Mapping[Kind, Mapping[str, str]] = {
    Kind.DUPLICATE_CODE: {
        "heilongjiang": "heilongjiang 6.4.4",
        "gansu": "gansu 一(一)4",
        "heihe": "heihe 8(1)",
        "zhenjiang": "zhenjiang 11",
    },
    Kind.CODE_GAP: {"heilongjiang": "heilongjiang 6.4.3"},
    Kind.CODE_PREFIX: {"heilongjiang": "heilongjiang 6.4.3"},
}


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Households (and people) an urban or rural grid should have; None where the document is silent."""

    urban_min: int | None = None
    urban_max: int | None = None
    urban_about: bool = False  # the figures are "左右": the tolerance applies to them
    urban_population_about: int | None = None  # an alternative to the household figure
    rural_about: int | None = None
    one_grid_per_village: bool = False
    remote_village_is_one_grid: bool = False
    tolerance_pct: float = 30.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What one jurisdiction demands of its boundaries (requirements 3.2 A, B)."""

    profile: str
    size: SizeRule = SizeRule()
    sub_grid_min_households: int | None = None
    code_digits: int | None = None  # None: free unique text
    code_gaps_allowed: bool = True
    code_exclusive_continues: bool = False
    department_layers_forbidden: bool = True
    department_layer_legal_exception: bool = False
    exclusive_needs_department: bool = False
    full_coverage: Enforcement = Enforcement.ERROR
    no_overlap: Enforcement = Enforcement.ERROR
    tolerance_m2: float = 1.0

    def severity(self, kind: Kind) -> Severity:
        """Error for what must be, warning for what should be."""
        if RULE_OF[kind] == "V1" and self.full_coverage is not Enforcement.ERROR:
            return Severity.WARNING
        if RULE_OF[kind] in ("V2", "V4") and self.no_overlap is not Enforcement.ERROR:
            return Severity.WARNING
        return Severity.WARNING if kind in _WARNINGS else Severity.ERROR

    def clause(self, kind: Kind, rule: str | None = None) -> str:
        """The clause that ``kind`` breaks here, or "product brief" where the document is silent."""
        by_kind = _CLAUSE_OF_KIND.get(kind, {})
        if self.profile in by_kind:
            return by_kind[self.profile]
        return _CLAUSE.get(rule or RULE_OF[kind], {}).get(self.profile, BRIEF)


DEFAULT_RULES = Rules("default")
"""Where no jurisdiction is chosen: full coverage without overlap, codes unique, no sizes and no code format."""


def rules_of(profile: Profile) -> Rules:
    """What a jurisdiction's profile says of boundaries."""
    division = profile.division
    least, most = division.urban_households_min.value, division.urban_households_max.value
    by_people = division.urban_size_logic.value is UrbanSizeLogic.HOUSEHOLDS_OR_POPULATION
    return Rules(
        profile=profile.key,
        size=SizeRule(
            urban_min=least,
            urban_max=most,
            urban_about=least is not None and least == most,
            urban_population_about=division.urban_population_about.value if by_people else None,
            rural_about=division.rural_households_about.value,
            one_grid_per_village=division.rural_grids_per_village.value == "1",
            remote_village_is_one_grid=division.remote_village_is_one_grid.value,
            tolerance_pct=division.size_tolerance_pct.value,
        ),
        sub_grid_min_households=division.subdivision_min_households.value,
        code_digits=15 if division.code_format.value is CodeFormat.DIGITS_15 else None,
        code_gaps_allowed=division.code_gaps_allowed.value,
        code_exclusive_continues=division.code_exclusive_continues.value,
        department_layers_forbidden=division.department_layers_forbidden.value,
        department_layer_legal_exception=division.department_layer_legal_exception.value,
        exclusive_needs_department=(
            division.exclusive_management_mode.value is ManagementMode.DUAL_MANAGEMENT
        ),
        full_coverage=division.full_coverage_force.value,
        no_overlap=division.overlap_force.value,
        tolerance_m2=division.topology_tolerance_m2.value,
    )
