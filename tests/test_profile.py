"""The five jurisdictions as data: the values of the standards, strict files, silence that an operator may fill."""

import re
import tomllib
from datetime import date

import pytest

from gis_server.core.errors import CatalogueError, NotFound
from gis_server.core.parameter import Force, Origin, in_words, plain
from gis_server.core.profile import GROUPS, Profile, as_json, fill_silence, parse_profile
from gis_server.core.vocabulary import AdminLevel, Body, Duration, Organisation, RelativeLevel, Term
from gis_server.files.profile import FOLDER, profile_keys, read_profile

KEYS = ("heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang")
SILENT = object()
"""An empty cell of the table: the document says nothing."""

# One line of the standards' table: parameter, what the product takes for silence, and the five cells.
TABLE: dict[str, tuple[object, tuple[object, ...]]] = {
    "source_status": (None, ("draft", "in_force", "trial", "in_force", "in_force")),
    "effective_from": (None, (SILENT, "2019-06-24", SILENT, "2023-06-01", "2022-02-01")),
    "label_shi_level": ("prefecture", ("county", *["prefecture"] * 4)),
    # S08: the size of an urban grid
    "household_basis": (
        "resident_household",
        ("resident_household", "actual_household", SILENT, SILENT, SILENT),
    ),
    "urban_households_min": (None, (200, 300, 300, SILENT, SILENT)),
    "urban_households_max": (None, (200, 500, 500, SILENT, SILENT)),
    "urban_population_about": (None, (SILENT, 1000, 1000, SILENT, SILENT)),
    "urban_size_logic": (
        "households",
        ("households", "households_or_population", "households_or_population", SILENT, SILENT),
    ),
    "rural_households_about": (None, (50, SILENT, SILENT, SILENT, SILENT)),
    "rural_grids_per_village": (None, (SILENT, "1..n", "1", SILENT, SILENT)),
    "remote_village_is_one_grid": (False, (True, SILENT, SILENT, SILENT, SILENT)),
    "size_tolerance_pct": (30, (SILENT,) * 5),
    "subdivision_kind": ("none", ("sub_grid", SILENT, SILENT, "micro_grid", SILENT)),
    "subdivision_min_households": (None, (10, SILENT, SILENT, SILENT, SILENT)),
    # codes
    "code_format": ("none", ("6+3+3+3", SILENT, SILENT, SILENT, SILENT)),
    "code_author_level": ("county", ("county", "county", "province", "county", "prefecture")),
    "code_prefix_register": (None, ("民政事业统计信息管理系统", SILENT, SILENT, SILENT, SILENT)),
    "code_sequence_start": (1, (1, SILENT, SILENT, SILENT, SILENT)),
    "code_gaps_allowed": (True, (False, SILENT, SILENT, SILENT, SILENT)),
    "code_exclusive_continues": (False, (True, SILENT, SILENT, SILENT, SILENT)),
    "code_unique": (True, (True, SILENT, True, True, True)),
    # boundary
    "full_coverage_force": ("error", (SILENT, SILENT, SILENT, SILENT, "error")),
    "overlap_force": ("error", (SILENT, SILENT, "error", "error", SILENT)),
    "topology_tolerance_m2": (1.0, (SILENT,) * 5),
    "department_layers_forbidden": (True, (SILENT, True, True, True, True)),
    "department_layer_legal_exception": (False, (SILENT, SILENT, SILENT, True, True)),
    "exclusive_management_mode": (
        "territorial_management",
        (SILENT, SILENT, SILENT, SILENT, "dual_management"),
    ),
    # change
    "change_applicant": (
        "township",
        ("township", SILENT, SILENT, SILENT, "grid_institution@township"),
    ),
    "change_approver": (
        "grid_institution@county",
        ("competent_department@county", SILENT, SILENT, "grid_institution@county", "grid_institution@county"),
    ),
    "change_consulted": ([], (SILENT, SILENT, SILENT, SILENT, ["civil_affairs_department@county"])),
    "change_presumption": (
        "on_application",
        ("yearly", "frozen", "as_needed", "as_needed", "on_application"),
    ),
    "change_max_per_year": (None, (1, SILENT, SILENT, SILENT, SILENT)),
    "filing_days": (None, (7, SILENT, SILENT, SILENT, SILENT)),
    # roster
    "staffing_model": ("none", ("staffing_1_x_n", "staffing_3_x_y", SILENT, SILENT, SILENT)),
    "full_time_min_urban": (1, (1, 1, 1, 1, 1)),
    "full_time_min_rural": (1, (1, 1, 1, 1, 0)),
    "full_or_part_time_min_rural": (0, (SILENT, SILENT, SILENT, SILENT, 1)),
    "full_time_min_exclusive": (0, (1, 1, 1, 1, 0)),
    "full_time_max": (None, (1, 1, 1, SILENT, SILENT)),
    "leader_max_per_grid": (None, (SILENT, 2, SILENT, SILENT, SILENT)),
    "leader_eligible": (
        [],
        (
            ["community_secretary", "community_director", "station_head"],
            ["community_secretary", "community_director"],
            SILENT,
            ["committee_member"],
            ["non_chief_committee_member", "full_time_grid_worker"],
        ),
    ),
    "leader_counts_as_grid_worker": (False, (False, False, SILENT, False, True)),
    "instructor_source": (None, (SILENT, "township_cadre", SILENT, SILENT, "department_cadre")),
    "disqualification_count": (0, (SILENT, SILENT, 5, SILENT, SILENT)),
    "training_min_per_year": (None, (SILENT, SILENT, 2, SILENT, SILENT)),
    # clocks
    "first_escalation_level": ("community", ("community", SILENT, "community", "platform", "township")),
    "worker_report_hours": (None, (SILENT, SILENT, 0, 0, 24)),
    "worker_report_urgent_hours": (0, (SILENT, SILENT, 0, 0, 0)),
    "institution_escalate_hours": (None, (SILENT, SILENT, SILENT, SILENT, 24)),
    "institution_escalate_urgent_hours": (0, (SILENT, SILENT, SILENT, SILENT, 0)),
    "department_limit_min_working_days": (None, (1, SILENT, SILENT, SILENT, SILENT)),
    "department_limit_max_working_days": (None, (3, SILENT, SILENT, SILENT, SILENT)),
    "verification_hours": (None, (SILENT, SILENT, SILENT, 24, 24)),
    "verification_required": (
        "when_needed",
        ("not_stated", "not_stated", "not_stated", "when_needed", "always"),
    ),
    "verification_clock_start": (
        "department_feedback",
        (SILENT, SILENT, SILENT, "verification_request", "department_feedback"),
    ),
    "feedback_actor": ("grid_worker", ("institution", SILENT, SILENT, "grid_worker", "grid_worker")),
    "first_contact_responsibility": (False, (SILENT, SILENT, SILENT, True, SILENT)),
    "wrong_department_goes_to": (
        "grid_institution@county",
        ("command_center@county", SILENT, SILENT, SILENT, SILENT),
    ),
    "department_may_dispatch_directly": (False, (SILENT, SILENT, SILENT, SILENT, False)),
    "same_level_dispatch_only": (False, (SILENT, SILENT, SILENT, SILENT, True)),
    "unit_scoring_subscores": (
        [],
        (["acceptance", "handling", "result"], SILENT, SILENT, SILENT, SILENT),
    ),
    "archive_step": (True, (True, SILENT, SILENT, SILENT, SILENT)),
    # items
    "temporary_item_max": (None, (None, "P1Y", SILENT, SILENT, SILENT)),
    "prohibited_list": (False, (SILENT, SILENT, True, SILENT, SILENT)),
    "catalogue_public": (False, (SILENT, SILENT, SILENT, True, True)),
    "worker_may_refuse_unlisted": (False, (SILENT, SILENT, SILENT, True, SILENT)),
    "catalogue_levels": (1, (3, 2, 1, 1, 1)),
    # cameras, wall, patrol
    "camera_image_months_important": (None, (SILENT, 6, SILENT, SILENT, SILENT)),
    "camera_video_months_important": (None, (SILENT, 1, SILENT, SILENT, SILENT)),
    "camera_image_months_sensitive": (None, (SILENT, 12, SILENT, SILENT, SILENT)),
    "camera_video_months_sensitive": (None, (SILENT, 3, SILENT, SILENT, SILENT)),
    "wall_panels": (
        ["grid_division_map"],
        (
            SILENT,
            ["grid_division_map", "grid_member_chart", "workflow_chart", "service_contact_panel"],
            SILENT,
            SILENT,
            SILENT,
        ),
    ),
    "patrol_min_hours_per_day": (None, (SILENT, SILENT, 2, SILENT, SILENT)),
    # appraisal
    "ranking_periods": (["month"], (SILENT, SILENT, ["week", "month", "year"], SILENT, SILENT)),
    "excellent_worker_pct": (None, (10, SILENT, SILENT, SILENT, SILENT)),
    "secret_report_channel": (False, (SILENT, True, SILENT, SILENT, SILENT)),
    "homicide_risk_channel": (False, (SILENT, SILENT, True, SILENT, SILENT)),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_cells_of_the_standards_table(name: str) -> None:
    default, cells = TABLE[name]
    for key, cell in zip(KEYS, cells, strict=True):
        parameter = read_profile(key).parameter(name)
        assert plain(parameter.value) == (default if cell is SILENT else cell), key
        if cell is SILENT:
            assert parameter.origin is Origin.DEFAULT, key
            assert (parameter.clause, parameter.force, parameter.inferred) == (None, None, False), key
        else:
            # what is not from a clause is at least marked as the reader's own conclusion
            assert parameter.clause is not None or parameter.inferred, key


@pytest.mark.parametrize(
    ("key", "name", "clause", "force", "inferred"),
    [
        ("zhenjiang", "full_coverage_force", "zhenjiang 10(1)", Force.MUST, False),
        ("zhenjiang", "worker_report_hours", "zhenjiang 32", Force.MUST, False),
        ("zhenjiang", "verification_hours", "zhenjiang 35", Force.MUST, False),
        ("heihe", "verification_clock_start", "heihe 21(3)", Force.MUST, True),
        ("heihe", "overlap_force", "heihe 8(1)", Force.MUST, True),
        ("heilongjiang", "urban_households_min", "heilongjiang 6.1.1", Force.SHOULD, False),
        ("heilongjiang", "code_gaps_allowed", "heilongjiang 6.4.3", Force.MUST, False),
        ("heilongjiang", "label_shi_level", "heilongjiang 4.5, 5.7.1, 8.4.3", Force.STATEMENT, True),
        ("taizhou", "temporary_item_max", "taizhou 5.2.1.4", Force.SHOULD, False),
        ("taizhou", "leader_eligible", "taizhou 6.2.1", Force.SHOULD, False),
        ("gansu", "training_min_per_year", "gansu 四(一)3", Force.SHOULD, False),
        ("gansu", "prohibited_list", "gansu 二(二)4", Force.MUST, False),
    ],
)
def test_the_ground_of_a_value(key: str, name: str, clause: str, force: Force, inferred: bool) -> None:
    parameter = read_profile(key).parameter(name)
    assert (parameter.clause, parameter.force, parameter.inferred) == (clause, force, inferred)
    assert parameter.fixed


def test_there_are_the_five_profiles_and_each_has_every_parameter() -> None:
    assert profile_keys() == tuple(sorted(KEYS))
    names = {key: [p.name for _, _, members in read_profile(key).groups() for p in members] for key in KEYS}
    assert len(names["heihe"]) == len(set(names["heihe"])) == 143
    assert all(names[key] == names["heihe"] for key in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_value_can_be_read_by_people_and_programs(key: str) -> None:
    profile = read_profile(key)
    assert profile.key == key
    for group in as_json(profile)["groups"]:  # type: ignore[attr-defined]
        for row in group["parameters"]:
            parameter = profile.parameter(row["name"])
            words = in_words(parameter.value)
            assert words.zh, row
            assert words.en, row
            assert row["origin"] in ("document", "default")
            if parameter.origin is Origin.DOCUMENT:
                assert row["clause"].startswith(f"{key} ")
                assert parameter.force is not None


def test_defaults_that_follow_another_parameter() -> None:
    provincial = [f"{body}@province" for body in ("political_legal_committee", "peace_office")]
    assert plain(read_profile("gansu").change.change_filed_with.value)[:2] == provincial  # type: ignore[index]
    assert plain(read_profile("heihe").items.item_exit_approver.value) == ["government@county"]


def test_the_other_case_of_a_value() -> None:
    fields = read_profile("heihe").display.notice_fields
    assert fields.otherwise is not None
    assert fields.value - fields.otherwise == {"complaint_phone"}
    assert str(read_profile("heihe").display.notice_publisher.otherwise) == "exclusive_host_unit"


def test_a_document_may_speak_without_a_value() -> None:
    in_time = read_profile("zhenjiang").display.notice_update_days
    assert (in_time.value, in_time.origin, in_time.clause) == (None, Origin.DOCUMENT, "zhenjiang 23")
    assert not in_time.stated
    assert not in_time.fixed


def test_an_unknown_profile_or_parameter_is_not_found() -> None:
    with pytest.raises(NotFound, match="没有名为 beijing 的标准"):
        read_profile("beijing")
    with pytest.raises(NotFound):
        read_profile("../profiles/heihe")
    with pytest.raises(NotFound):
        read_profile("heihe").parameter("urban_households")


# ---- strictness ------------------------------------------------------------------------------------------------


def minimal(extra: str = "") -> dict[str, object]:
    return tomllib.loads(
        """
        [document]
        title = { zh = "试", en = "trial" }
        [identity]
        profile_key = { value = "here", clause = "here 1", force = "statement" }
        source_status = { value = "trial", clause = "here 1", force = "statement" }
        """
        + extra
    )


def test_a_profile_may_be_silent_on_everything() -> None:
    profile = parse_profile(minimal(), "here.toml")
    assert profile.division.topology_tolerance_m2.value == 1.0
    assert profile.incident_loop.worker_report_hours.value is None
    assert profile.change.change_filed_with.value == (
        Body(Organisation.GRID_INSTITUTION, RelativeLevel.NEXT_HIGHER),
    )


@pytest.mark.parametrize(
    ("extra", "key"),
    [
        ("[divisions]", "divisions"),
        ("[division]\nurban_households = { value = 1 }", "division.urban_households"),
        ("[division]\nurban_households_min = 200", "division.urban_households_min"),
        ("[division]\nurban_households_min = { value = '200', clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\nurban_households_min = { value = -1, clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\nurban_households_min = { value = true, clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\nsize_tolerance_pct = { value = nan, clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\nsize_tolerance_pct = { value = inf, clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\nurban_households_min = { value = 200 }", ".clause"),
        ("[division]\nurban_households_min = { value = 200, clause = 'there 2', force = 'must' }", ".clause"),
        ("[division]\nurban_households_min = { value = 200, clause = 'here 2' }", ".force"),
        ("[division]\nurban_households_min = { value = 2, clause = 'here 2', force = 'shall' }", ".force"),
        ("[division]\nurban_households_min = { clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\ngrid_kinds = { value = ['big'], clause = 'here 2', force = 'must' }", ".value"),
        ("[division]\ngrid_kinds = { value = 'rural_grid', clause = 'here 2', force = 'must' }", ".value"),
        ("[change]\nchange_applicant = { value = 'town', clause = 'here 2', force = 'must' }", ".value"),
        (
            "[change]\nchange_applicant = { value = 'government@city', clause = 'here 2', force = 'must' }",
            ".value",
        ),
        ("[items]\ntemporary_item_max = { value = '1 year', clause = 'here 2', force = 'must' }", ".value"),
        ("[staffing]\nfull_time_max = { value = 1, clause = 'here 2', force = 'must', since = 1 }", ".since"),
        (
            "[staffing]\nfull_time_max = { value = 1, otherwise = 2, clause = 'here 2', force = 'must' }",
            ".note",
        ),
        (
            "[staffing]\nfull_time_min_urban = { value = 3, clause = 'here 2', force = 'must' }\n"
            "full_time_max = { value = 1, clause = 'here 2', force = 'must' }",
            "staffing.full_time_min_urban",
        ),
    ],
)
def test_a_wrong_file_is_named_with_its_key(extra: str, key: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        parse_profile(minimal(extra), "here.toml")
    assert (caught.value.field or "").endswith(key)
    assert "here.toml" in str(caught.value)


@pytest.mark.parametrize("name", ["profile_key", "source_status"])
def test_a_profile_says_which_document_it_is(name: str) -> None:
    content = minimal()
    content["identity"].pop(name)  # type: ignore[attr-defined]
    with pytest.raises(CatalogueError) as caught:
        parse_profile(content, "here.toml")
    assert caught.value.field == f"identity.{name}"


# ---- an operator fills silence ------------------------------------------------------------------------------------


def filled(key: str, text: str) -> Profile:
    return fill_silence(read_profile(key), tomllib.loads(f'profile = "{key}"\n{text}'), "local.toml")


def test_an_operator_may_fill_silence() -> None:
    profile = filled(
        "heilongjiang",
        '[incident_loop]\nworker_report_hours = { value = 12, basis = "网格办通知 2024-3 号" }\n'
        '[items]\ntemporary_item_max = { value = "P6M", basis = "领导小组决定" }',
    )
    hours = profile.incident_loop.worker_report_hours
    assert (hours.value, hours.origin, hours.basis) == (12.0, Origin.OPERATOR, "网格办通知 2024-3 号")
    # the document speaks of a limit there, without giving one
    limit = profile.items.temporary_item_max
    assert (limit.value, limit.clause) == (Duration(months=6), "heilongjiang 8.6.1")
    assert read_profile("heilongjiang").incident_loop.worker_report_hours.value is None


@pytest.mark.parametrize(
    ("key", "name", "value", "clause"),
    [
        ("zhenjiang", "incident_loop.verification_hours", "48", "zhenjiang 35"),
        ("zhenjiang", "division.full_coverage_force", '"off"', "zhenjiang 10(1)"),
        ("heihe", "division.overlap_force", '"warning"', "heihe 8(1)"),
        ("taizhou", "division.urban_households_max", "800", "taizhou 5.1.2"),
    ],
)
def test_an_operator_may_not_override_the_law(key: str, name: str, value: str, clause: str) -> None:
    group, parameter = name.split(".")
    with pytest.raises(CatalogueError) as caught:
        filled(key, f'[{group}]\n{parameter} = {{ value = {value}, basis = "本地" }}')
    assert caught.value.field == name
    assert name in str(caught.value)
    assert clause in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (
            "[incident_loop]\ninstitution_escalate_hours = { value = 12 }",
            "incident_loop.institution_escalate_hours.basis",
        ),
        ("[incident_loop]\nworker_hours = { value = 12, basis = 'x' }", "incident_loop.worker_hours"),
        ("[loop]", "loop"),
        ("[identity]\nlabel_shi_level = { value = 'county', basis = 'x' }", "identity"),
        (
            "[staffing]\nfull_time_max = { value = 0, basis = 'x' }",
            "staffing.full_time_min_urban",
        ),
    ],
)
def test_an_operators_file_is_read_as_strictly(text: str, key: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        filled("heihe", text)
    assert caught.value.field == key


def test_an_operators_file_belongs_to_one_profile() -> None:
    with pytest.raises(CatalogueError, match=r"local\.toml"):
        fill_silence(read_profile("heihe"), {"profile": "gansu"}, "local.toml")


# ---- small values -------------------------------------------------------------------------------------------------


def test_a_body_knows_whom_it_means() -> None:
    same = Body.parse("political_legal_committee@same_level")
    county = Body(Organisation.POLITICAL_LEGAL_COMMITTEE, AdminLevel.COUNTY)
    prefecture = Body(Organisation.POLITICAL_LEGAL_COMMITTEE, AdminLevel.PREFECTURE)
    assert same.admits(county, AdminLevel.COUNTY)
    assert not same.admits(prefecture, AdminLevel.COUNTY)
    assert Body.parse("political_legal_committee@next_higher").admits(prefecture, AdminLevel.COUNTY)
    assert not Body.parse("political_legal_committee@next_higher").admits(prefecture)
    assert Body.parse("functional_department").admits(Body.parse("functional_department@county"))
    assert not Body.parse("township").admits(county)
    assert str(Body.parse("township")) == "township"


@pytest.mark.parametrize("text", ["", "P", "P1", "1Y", "PT1H", "P1Y2", "p1y", "P１Y"])
def test_a_duration_is_years_months_days(text: str) -> None:
    assert Duration.parse("P1Y6M10D") == Duration(1, 6, 10)
    assert str(Duration.parse("P1Y6M10D")) == "P1Y6M10D"
    with pytest.raises(ValueError, match=re.escape(text) or None):
        Duration.parse(text)


def test_every_term_has_words_in_both_languages() -> None:
    kinds = Term.__subclasses__()
    assert len(kinds) > 30
    for kind in kinds:
        for term in kind:
            assert term.words.zh, term
            assert term.words.en, term


def test_the_files_and_the_groups_agree() -> None:
    for key in KEYS:
        content = tomllib.loads((FOLDER / f"{key}.toml").read_text("utf-8"))
        assert set(content) <= {"document", *GROUPS}
    assert read_profile("taizhou").identity.effective_from.value == date(2019, 6, 24)
