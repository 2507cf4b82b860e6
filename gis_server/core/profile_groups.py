"""The parameters of a jurisdiction profile, group by group, as requirements 3.2 list them.

Each line is an identifier with its type, its titles and its default; every default is the product's own.
"""
# ruff: noqa: RUF009  (each of these calls makes a dataclass field)

from dataclasses import dataclass
from datetime import date

from gis_server.core.message import Words
from gis_server.core.parameter import (
    Parameter,
    bodies,
    body,
    day,
    duration,
    flag,
    number,
    one,
    ordered,
    phrase,
    phrases,
    some,
    text,
    whole,
)
from gis_server.core.vocabulary import (
    AdminLevel,
    Body,
    CameraSource,
    ChangePresumption,
    ChangeReason,
    CodeFormat,
    DivisionBasis,
    Duration,
    Enforcement,
    FilingContent,
    FirstEscalation,
    Grade,
    GridKind,
    HallArea,
    HostKind,
    HostSupply,
    HouseholdBasis,
    InstructorSource,
    LeaderPost,
    LoopActor,
    ManagementMode,
    NoticeField,
    NoticePlace,
    PatrolDays,
    Period,
    RankingUnit,
    ScoreAspect,
    SensorKind,
    SettlementClass,
    SourceStatus,
    StaffingModel,
    StaleTrigger,
    SubdivisionKind,
    UrbanSizeLogic,
    VerificationNeed,
    VerificationStart,
    WallPanel,
)

_HOUSEHOLDS = Words("户", "households")
_PEOPLE = Words("人", "people")
_PERCENT = Words("%", "%")
_PLANS = Words("次/日历年", "plans per calendar year")
_DAYS = Words("日", "calendar days")
_WORKING_DAYS = Words("工作日", "working days")
_HOURS = Words("小时", "hours")
_NUMBER = Words("号", "")
_HOURS_A_DAY = Words("小时/日", "hours a day")
_MONTHS = Words("个月", "months")
_PER_GRID = Words("人/网格", "persons per grid")
_COMMUNITIES = Words("个社区(村)", "communities")
_GRIDS = Words("个网格", "grids")
_LEVELS = Words("级", "levels")
_ITEMS = Words("项", "items")
_SESSIONS = Words("次/年", "sessions a year")
_GROUPS = Words("个/网格", "per grid")
_MEETINGS = Words("次/周", "a week")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which document this is and what its words for levels mean."""

    profile_key: Parameter[str] = text("标识", "Key")
    source_status: Parameter[SourceStatus] = one(SourceStatus, "文件状态", "Status of the document")
    effective_from: Parameter[date | None] = day("施行日期", "In force from")
    label_shi_level: Parameter[AdminLevel] = one(
        AdminLevel, "“市”所指层级", "Level meant by 市", AdminLevel.PREFECTURE
    )
    institution_levels: Parameter[frozenset[AdminLevel]] = some(
        AdminLevel,
        "网格化机构层级",
        "Levels with a grid institution",
        (AdminLevel.PREFECTURE, AdminLevel.COUNTY, AdminLevel.TOWNSHIP, AdminLevel.COMMUNITY),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A, B: division, coding, boundary."""

    grid_kinds: Parameter[frozenset[GridKind]] = some(
        GridKind, "网格类型", "Grid kinds", (GridKind.COMPREHENSIVE_GRID, GridKind.EXCLUSIVE_GRID)
    )
    settlement_classes: Parameter[frozenset[SettlementClass]] = some(
        SettlementClass,
        "城乡分类",
        "Settlement classes",
        (SettlementClass.URBAN_COMMUNITY, SettlementClass.RURAL),
    )
    household_basis: Parameter[HouseholdBasis] = one(
        HouseholdBasis, "户数口径", "Households counted", HouseholdBasis.RESIDENT_HOUSEHOLD
    )
    urban_households_min: Parameter[int | None] = whole(
        "城镇网格户数下限", "Urban households, least", _HOUSEHOLDS
    )
    urban_households_max: Parameter[int | None] = whole(
        "城镇网格户数上限", "Urban households, most", _HOUSEHOLDS
    )
    urban_population_about: Parameter[int | None] = whole("城镇网格人口约数", "Urban people, about", _PEOPLE)
    urban_size_logic: Parameter[UrbanSizeLogic] = one(
        UrbanSizeLogic, "城镇规模口径", "Urban size by", UrbanSizeLogic.HOUSEHOLDS
    )
    rural_households_about: Parameter[int | None] = whole(
        "农村网格户数约数", "Rural households, about", _HOUSEHOLDS
    )
    rural_default_unit: Parameter[frozenset[DivisionBasis]] = some(
        DivisionBasis, "农村划分单元", "Rural unit of division"
    )
    rural_grids_per_village: Parameter[str | None] = text(
        "每个行政村的网格数", "Grids per administrative village"
    )
    rural_population_by_urban_standard: Parameter[bool] = flag(
        "农村人口参照城镇标准", "Rural people by the urban standard", False
    )
    remote_village_is_one_grid: Parameter[bool] = flag(
        "边远村整村为一个网格", "A remote village is one grid", False
    )
    size_tolerance_pct: Parameter[float] = number(
        "“左右”的容差(仅警告)", "Tolerance of “about” (warning only)", _PERCENT, 30.0
    )
    urban_division_basis: Parameter[frozenset[DivisionBasis]] = some(
        DivisionBasis, "城镇划分依据", "Urban unit of division"
    )
    subdivision_kind: Parameter[SubdivisionKind] = one(
        SubdivisionKind, "网格再划分", "Subdivision of a grid", SubdivisionKind.NONE
    )
    subdivision_min_households: Parameter[int | None] = whole(
        "再划分户数下限", "Subdivision, least households", _HOUSEHOLDS
    )
    exclusive_host_kinds: Parameter[frozenset[HostKind]] = some(
        HostKind, "专属网格适用单位", "Hosts of exclusive grids"
    )
    exclusive_may_merge_hosts: Parameter[bool] = flag(
        "专属网格可合并多个单位", "An exclusive grid may merge hosts", False
    )
    exclusive_carved_out: Parameter[bool] = flag(
        "专属网格不叠在普通网格之上", "Exclusive grids are carved out, not laid over", True
    )
    code_format: Parameter[CodeFormat] = one(
        CodeFormat, "网格编码格式", "Format of the grid code", CodeFormat.NONE
    )
    code_author_level: Parameter[AdminLevel] = one(
        AdminLevel, "编码编制层级", "Level that compiles codes", AdminLevel.COUNTY
    )
    code_prefix_register: Parameter[str | None] = text("编码前缀依据的名册", "Register of code prefixes")
    code_sequence_start: Parameter[int] = whole("网格编号起始", "First grid number", _NUMBER, 1)
    code_gaps_allowed: Parameter[bool] = flag("网格编号可间断", "Gaps in grid numbers allowed", True)
    code_exclusive_continues: Parameter[bool] = flag(
        "专属网格接续编号", "Exclusive grids continue the numbers", False
    )
    code_unique: Parameter[bool] = flag("网格编码唯一", "Grid codes are unique", True)
    full_coverage_force: Parameter[Enforcement] = one(
        Enforcement, "未全域覆盖", "A gap is", Enforcement.ERROR
    )
    overlap_force: Parameter[Enforcement] = one(Enforcement, "网格重叠", "An overlap is", Enforcement.ERROR)
    topology_tolerance_m2: Parameter[float] = number(
        "拓扑容差", "Tolerance of areas", Words("平方米", "m²"), 1.0
    )
    department_layers_forbidden: Parameter[bool] = flag(
        "部门不得另行划分网格", "Departments may not divide again", True
    )
    department_layer_legal_exception: Parameter[bool] = flag(
        "法律法规另有规定的除外", "Save where law provides", False
    )
    special_areas: Parameter[tuple[Words, ...]] = phrases("特定管理区域", "Special areas")
    exclusive_management_mode: Parameter[ManagementMode] = one(
        ManagementMode,
        "专属网格管理方式",
        "Management of exclusive grids",
        ManagementMode.TERRITORIAL_MANAGEMENT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """C: change control and filing; several bodies in a list act together."""

    division_by: Parameter[tuple[Body, ...]] = bodies("划分机构", "Divided by", "grid_institution@county")
    division_filed_with: Parameter[tuple[Body, ...]] = bodies(
        "划分报备", "Division filed with", "grid_institution@next_higher"
    )
    change_applicant: Parameter[Body] = body("调整申请", "Change applied for by", "township")
    change_approver: Parameter[Body] = body("调整核准", "Change approved by", "grid_institution@county")
    change_consulted: Parameter[tuple[Body, ...]] = bodies("调整征求意见", "Change consulted with")
    change_filed_with: Parameter[tuple[Body, ...]] = bodies("调整报备(默认同划分报备)", "Change filed with")
    change_presumption: Parameter[ChangePresumption] = one(
        ChangePresumption, "调整原则", "Presumption on change", ChangePresumption.ON_APPLICATION
    )
    change_max_per_year: Parameter[int | None] = whole("每年调整次数", "Changes a year", _PLANS)
    change_reasons: Parameter[frozenset[ChangeReason]] = some(
        ChangeReason, "调整事由(空为自由填写)", "Reasons for change (none: free text)"
    )
    filing_days: Parameter[int | None] = whole("报备期限", "Days to file", _DAYS)
    filing_trigger: Parameter[Words | None] = phrase("报备期限起因", "What starts the days to file")
    filing_contents: Parameter[frozenset[FilingContent]] = some(
        FilingContent, "报备内容", "Contents of a filing", (FilingContent.GRID_COUNT, FilingContent.POLYGONS)
    )
    code_register_filed_upward: Parameter[bool] = flag(
        "编码及说明向上报备", "Codes and explanation filed upward", False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """D: the roster of a grid."""

    staffing_model: Parameter[StaffingModel] = one(
        StaffingModel, "配备模式", "Staffing model", StaffingModel.NONE
    )
    full_time_min_urban: Parameter[int] = whole("城镇专职网格员下限", "Full-time, urban, least", _PER_GRID, 1)
    full_time_min_rural: Parameter[int] = whole("农村专职网格员下限", "Full-time, rural, least", _PER_GRID, 1)
    full_or_part_time_min_rural: Parameter[int] = whole(
        "农村专职或兼职网格员下限", "Full- or part-time, rural, least", _PER_GRID, 0
    )
    full_time_min_exclusive: Parameter[int] = whole(
        "专属网格专职网格员下限", "Full-time, exclusive, least", _PER_GRID, 0
    )
    full_time_max: Parameter[int | None] = whole("专职网格员上限", "Full-time, most", _PER_GRID)
    part_time_min: Parameter[int] = whole("兼职网格员下限", "Part-time, least", _PER_GRID, 0)
    professional_min: Parameter[int] = whole("专业网格员下限", "Professional, least", _PER_GRID, 0)
    leader_min_per_grid: Parameter[int] = whole("网格长下限", "Leaders, least", _PER_GRID, 1)
    leader_max_per_grid: Parameter[int | None] = whole("网格长上限", "Leaders, most", _PER_GRID)
    leader_may_hold_many_grids: Parameter[bool] = flag(
        "网格长可对应多个网格", "A leader may hold many grids", True
    )
    leader_eligible: Parameter[frozenset[LeaderPost]] = some(
        LeaderPost, "网格长人选(空为不限)", "Leaders come from (none: any)"
    )
    leader_counts_as_grid_worker: Parameter[bool] = flag("网格员含网格长", "A leader is a grid worker", False)
    leader_levels: Parameter[int] = whole("网格长级数", "Levels of leaders", _LEVELS, 1)
    liaison_min_communities: Parameter[int | None] = whole(
        "一、二级网格长包联社区(村)下限", "Communities per level-1 or -2 leader, least", _COMMUNITIES
    )
    liaison_min_grids: Parameter[int | None] = whole(
        "三级网格长包联网格下限", "Grids per level-3 leader, least", _GRIDS
    )
    instructor_source: Parameter[InstructorSource | None] = one(
        InstructorSource, "网格指导员来源", "Instructors come from"
    )
    business_instructor_used: Parameter[bool] = flag("设网格业务指导员", "Business instructors used", False)
    exclusive_worker_from_host: Parameter[HostSupply] = one(
        HostSupply, "专属网格员由所在单位配备", "Exclusive grid's worker from the host", HostSupply.ALLOWED
    )
    exclusive_worker_filed_with: Parameter[Body | None] = body(
        "专属网格员报备", "Exclusive grid's worker filed with"
    )
    disqualification_count: Parameter[int] = whole("不得选聘情形", "Disqualifications", _ITEMS, 0)
    real_name_required: Parameter[bool] = flag("实名制管理", "Real-name roster", False)
    certificate_before_duty: Parameter[bool] = flag("持证上岗", "Certificate before duty", False)
    training_min_per_year: Parameter[int | None] = whole("培训次数下限", "Training, least", _SESSIONS)
    party_group_per_grid: Parameter[float | None] = number(
        "网格党支部或党小组", "Party branch or group", _GROUPS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLoop:
    """E: the way of an incident and its clocks."""

    first_escalation_level: Parameter[FirstEscalation] = one(
        FirstEscalation, "首次上报对象", "First reported to", FirstEscalation.COMMUNITY
    )
    worker_report_hours: Parameter[float | None] = number(
        "网格员上报时限(0 为立即)", "Worker reports within (0 is at once)", _HOURS
    )
    worker_report_urgent_hours: Parameter[float] = number(
        "网格员紧急上报时限(0 为立即)", "Worker reports urgent within (0 is at once)", _HOURS, 0.0
    )
    institution_escalate_hours: Parameter[float | None] = number(
        "机构向上级上报时限(0 为立即)", "Institution escalates within (0 is at once)", _HOURS
    )
    institution_escalate_urgent_hours: Parameter[float] = number(
        "机构紧急上报时限(0 为立即)", "Institution escalates urgent within (0 is at once)", _HOURS, 0.0
    )
    department_limit_min_working_days: Parameter[int | None] = whole(
        "部门办理时限(起)", "Department's limit, from", _WORKING_DAYS
    )
    department_limit_max_working_days: Parameter[int | None] = whole(
        "部门办理时限(止)", "Department's limit, to", _WORKING_DAYS
    )
    verification_hours: Parameter[float | None] = number("现场核实时限", "Verified on site within", _HOURS)
    verification_required: Parameter[VerificationNeed] = one(
        VerificationNeed, "现场核实", "On-site verification", VerificationNeed.WHEN_NEEDED
    )
    verification_clock_start: Parameter[VerificationStart] = one(
        VerificationStart, "核实时限起点", "Verification clock starts", VerificationStart.DEPARTMENT_FEEDBACK
    )
    feedback_actor: Parameter[LoopActor] = one(
        LoopActor, "向当事人反馈者", "Tells the party", LoopActor.GRID_WORKER
    )
    record_closer: Parameter[LoopActor] = one(
        LoopActor, "录入办理情况者", "Enters the handling record", LoopActor.GRID_WORKER
    )
    progress_feedback_required: Parameter[bool] = flag("反馈办理进度", "Progress is told", False)
    resolved_on_site_must_be_recorded: Parameter[bool] = flag(
        "就地解决须录入备案", "Solved on the spot is recorded too", True
    )
    first_contact_responsibility: Parameter[bool] = flag("首问负责制", "First-contact responsibility", False)
    wrong_department_goes_to: Parameter[Body] = body(
        "非本部门职责退至", "Wrong department: goes to", "grid_institution@county"
    )
    lead_unit_required_when_many: Parameter[bool] = flag(
        "多部门须指定牵头部门", "A lead unit among several", True
    )
    joint_meeting_levels: Parameter[frozenset[AdminLevel]] = some(
        AdminLevel, "联席会议层级", "Levels with joint meetings"
    )
    department_may_dispatch_directly: Parameter[bool] = flag(
        "职能部门可直接交办", "Departments may dispatch directly", False
    )
    same_level_dispatch_only: Parameter[bool] = flag(
        "仅向同级部门交办", "Dispatch to the same level only", False
    )
    satisfaction_rating: Parameter[bool] = flag("满意度评价", "Satisfaction is rated", True)
    unit_scoring_subscores: Parameter[tuple[ScoreAspect, ...]] = ordered(
        ScoreAspect, "部门打分项", "Departments are scored on"
    )
    disclosure_step: Parameter[bool] = flag("信息公示环节", "Results are disclosed", False)
    archive_step: Parameter[bool] = flag("归档销号环节", "Filed and struck off", True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """F: what may enter and leave the item catalogue; of several bodies in a list any one may act."""

    item_proposer: Parameter[tuple[Body, ...]] = bodies(
        "事项准入提出", "Item proposed by", "functional_department@county"
    )
    item_approver: Parameter[tuple[Body, ...]] = bodies(
        "事项准入批准", "Item approved by", "grid_institution@county"
    )
    item_filed_with: Parameter[Body | None] = body("事项报备", "Item filed with")
    temporary_item_max: Parameter[Duration | None] = duration("临时事项最长期限", "Temporary item, longest")
    item_auto_exit: Parameter[bool] = flag("到期自动退出", "Leaves by itself at its end", True)
    item_exit_approver: Parameter[tuple[Body, ...]] = bodies(
        "事项退出批准(默认同准入)", "Item exit approved by (default: as admission)"
    )
    prohibited_list: Parameter[bool] = flag("禁入清单", "Prohibited list", False)
    catalogue_public: Parameter[bool] = flag("清单向社会公布", "Catalogue is public", False)
    worker_may_refuse_unlisted: Parameter[bool] = flag(
        "网格员可拒绝清单外工作", "Worker may refuse unlisted work", False
    )
    catalogue_levels: Parameter[int] = whole("清单分级", "Levels of the catalogue", _LEVELS, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """G, H, I: cameras, display, patrol."""

    camera_image_months_important: Parameter[int | None] = whole(
        "重要部位图片保存下限", "Images, important sites, least", _MONTHS
    )
    camera_video_months_important: Parameter[int | None] = whole(
        "重要部位视频保存下限", "Video, important sites, least", _MONTHS
    )
    camera_image_months_sensitive: Parameter[int | None] = whole(
        "重点涉恐涉稳点位图片保存下限", "Images, sensitive sites, least", _MONTHS
    )
    camera_video_months_sensitive: Parameter[int | None] = whole(
        "重点涉恐涉稳点位视频保存下限", "Video, sensitive sites, least", _MONTHS
    )
    camera_source_classes: Parameter[frozenset[CameraSource]] = some(
        CameraSource, "监控来源", "Sources of cameras"
    )
    smart_sensor_kinds: Parameter[frozenset[SensorKind]] = some(SensorKind, "智能感知设备", "Smart sensors")
    hall_areas: Parameter[frozenset[HallArea]] = some(
        HallArea, "机构功能区", "Areas of an institution", (HallArea.BIG_SCREEN_AREA,)
    )
    wall_panels: Parameter[tuple[WallPanel, ...]] = ordered(
        WallPanel, "上墙内容", "Panels on the wall", (WallPanel.GRID_DIVISION_MAP,)
    )
    notice_publisher: Parameter[Body] = body("公示主体", "Notice published by", "township")
    notice_fields: Parameter[frozenset[NoticeField]] = some(
        NoticeField,
        "公示内容",
        "Contents of a notice",
        (NoticeField.GRID_NAME, NoticeField.WORKER_NAME, NoticeField.WORKER_CONTACT),
    )
    notice_places: Parameter[frozenset[NoticePlace]] = some(
        NoticePlace, "公示位置和方式", "Where notices stand", (NoticePlace.MAIN_ACTIVITY_PLACE,)
    )
    notice_stale_triggers: Parameter[frozenset[StaleTrigger]] = some(
        StaleTrigger,
        "公示失效情形",
        "A notice is stale on change of",
        (StaleTrigger.SCOPE, StaleTrigger.WORKER),
    )
    notice_update_days: Parameter[int | None] = whole("公示更新期限", "Notice renewed within", _DAYS)
    patrol_min_hours_per_day: Parameter[float | None] = number(
        "每日巡查时长下限", "Patrol, least", _HOURS_A_DAY
    )
    patrol_days: Parameter[PatrolDays] = one(PatrolDays, "巡查日", "Days of patrol", PatrolDays.REGULAR)
    same_day_reporting: Parameter[bool] = flag("当天报送", "Reported the same day", False)
    patrol_track_kept: Parameter[bool] = flag("保留巡查轨迹", "Patrol tracks are kept", True)
    data_update: Parameter[Words] = phrase("数据更新", "Data are updated", Words("及时", "in time"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """J, K, L: appraisal, access, connection."""

    ranking_periods: Parameter[frozenset[Period]] = some(
        Period, "排名周期", "Periods of ranking", (Period.MONTH,)
    )
    ranking_units: Parameter[frozenset[RankingUnit]] = some(
        RankingUnit, "排名对象", "What is ranked", (RankingUnit.GRID,)
    )
    worker_appraisal_period: Parameter[frozenset[Period]] = some(
        Period, "网格员考核周期", "Workers are appraised by", (Period.MONTH,)
    )
    leader_appraisal_period: Parameter[Period | None] = one(
        Period, "网格长考核周期", "Leaders are appraised by"
    )
    appraisal_grades: Parameter[tuple[Grade, ...]] = ordered(Grade, "考核等次", "Grades")
    excellent_worker_pct: Parameter[float | None] = number(
        "优秀网格员比例(每年)", "Excellent workers (a year)", _PERCENT
    )
    grid_class_coefficient: Parameter[bool] = flag("分类考核系数", "Coefficient by class of grid", False)
    leader_result_bonus_min_pct: Parameter[float | None] = number(
        "考核结果占绩效奖金下限", "Share of the bonus, least", _PERCENT
    )
    backcheck_period: Parameter[Period | None] = one(Period, "责任倒查周期", "Back-check by")
    meeting_per_week_township: Parameter[int | None] = whole(
        "乡镇(街道)工作例会", "Township meetings", _MEETINGS
    )
    department_statistics: Parameter[Words | None] = phrase("部门办理情况统计", "Statistics of departments")
    tiered_access: Parameter[bool] = flag("分级准入", "Tiered access", True)
    secret_report_channel: Parameter[bool] = flag("秘密上报渠道", "Secret reporting channel", False)
    homicide_risk_channel: Parameter[bool] = flag("命案风险预警渠道", "Homicide-risk channel", False)
    external_systems: Parameter[tuple[Words, ...]] = phrases("对接的外部系统", "External systems")
