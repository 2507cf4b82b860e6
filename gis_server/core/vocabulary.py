"""The words of the five documents that a jurisdiction profile may use, each with its identifier and two titles.

One Chinese concept is one identifier (requirements, section 1); the identifiers stand in TOML, JSON and SQL alike.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from gis_server.core.message import Message, Words, msg


class Term(StrEnum):
    """An identifier with its official Chinese term and an English one."""

    words: Words

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:
        """Make the member from its line: identifier, Chinese, English."""
        term = str.__new__(cls, value)
        term._value_ = value
        term.words = Words(zh, en)
        return term

    @property
    def message(self) -> Message:
        """The term inside a sentence; ``english`` gives its translation."""
        return Message(self.words.zh)


def english(zh: str) -> str | None:
    """The English of an official Chinese term, None for what is not a term."""
    for kind in Term.__subclasses__():
        for term in kind:
            if term.words.zh == zh:
                return term.words.en
    return None


class SourceStatus(Term):
    """How binding the document is."""

    DRAFT = "draft", "征求意见稿", "draft for comments"
    TRIAL = "trial", "试行", "trial"
    IN_FORCE = "in_force", "现行", "in force"


class AdminLevel(Term):
    """Levels of administration, highest first; 市 is a prefecture or a county (profile ``label_shi_level``)."""

    PROVINCE = "province", "省", "province"
    PREFECTURE = "prefecture", "市(州)", "prefecture"
    COUNTY = "county", "县(市、区)", "county"
    TOWNSHIP = "township", "乡镇(街道)", "township"
    COMMUNITY = "community", "社区(村)", "community"

    @property
    def rank(self) -> int:
        """0 for the province, growing downwards."""
        return list(AdminLevel).index(self)


class GridKind(Term):
    """网格类型: which sort of grid a document draws."""

    RESIDENT_GRID = "resident_grid", "居民网格", "resident grid"
    COMPREHENSIVE_GRID = "comprehensive_grid", "综合网格", "comprehensive grid"
    URBAN_COMMUNITY_GRID = "urban_community_grid", "城市社区网格", "urban community grid"
    RURAL_GRID = "rural_grid", "农村网格", "rural grid"
    EXCLUSIVE_GRID = "exclusive_grid", "专属网格", "exclusive grid"


class SettlementClass(Term):
    """城乡分类 of the ground a grid stands on."""

    URBAN_COMMUNITY = "urban_community", "城市社区", "urban community"
    URBAN_VILLAGE = "urban_village", "城中村", "urban village"
    RURAL = "rural", "农村", "rural"


class HouseholdBasis(Term):
    """Which households the size rule counts."""

    RESIDENT_HOUSEHOLD = "resident_household", "常驻户", "resident households"
    ACTUAL_HOUSEHOLD = "actual_household", "实有户", "actual households"


class UrbanSizeLogic(Term):
    """Whether the number of people may stand in for the number of households."""

    HOUSEHOLDS = "households", "按户数", "households"
    HOUSEHOLDS_OR_POPULATION = "households_or_population", "按户数或人口", "households or people"


class DivisionBasis(Term):
    """划分依据: what a grid is drawn from."""

    NATURAL_VILLAGE = "natural_village", "自然村", "natural village"
    VILLAGER_GROUP = "villager_group", "村民小组", "villager group"
    RESIDENT_GROUP = "resident_group", "居民小组", "resident group"
    RESIDENTIAL_QUARTER = "residential_quarter", "居民小区", "residential quarter"
    BUILDING = "building", "楼栋", "building"
    COURTYARD_BLOCK = "courtyard_block", "楼院", "courtyard block"
    HOUSEHOLD_NUMBER = "household_number", "一定数量住户", "a number of households"
    ADMINISTRATIVE_VILLAGE = "administrative_village", "行政村", "administrative village"


class SubdivisionKind(Term):
    """Whether, and as what, a grid is divided further."""

    NONE = "none", "不划分", "none"
    SUB_GRID = "sub_grid", "子网格", "sub-grid"
    MICRO_GRID = "micro_grid", "微网格", "micro-grid"


class HostKind(Term):
    """Places that may be an exclusive grid of their own."""

    ADMINISTRATIVE_CENTRE = "administrative_centre", "行政中心", "administrative centre"
    OFFICE = "office", "机关", "public office"
    ENTERPRISE = "enterprise", "企业", "enterprise"
    INSTITUTION = "institution", "企事业单位", "enterprise or institution"
    UNIT = "unit", "有关单位", "unit"
    OFFICE_BUILDING = "office_building", "商务楼宇", "office building"
    PARK = "park", "园区", "park"
    PLANT_OR_MINE = "plant_or_mine", "厂(矿)区", "plant or mine"
    MALL = "mall", "商场", "mall"
    MARKET = "market", "市场", "market"
    SCHOOL = "school", "学校", "school"
    HOSPITAL = "hospital", "医院", "hospital"
    OTHER_SPECIFIC_AREA = "other_specific_area", "其他特定管理区域", "other specific area"


class CodeFormat(Term):
    """How a grid code is built; ``none`` is free unique text, imported as it is."""

    NONE = "none", "未规定格式(唯一文本)", "no format (unique text)"
    DIGITS_15 = "6+3+3+3", "15 位数字 6+3+3+3", "15 digits 6+3+3+3"


class Enforcement(Term):
    """What a broken boundary rule amounts to."""

    ERROR = "error", "错误", "error"
    WARNING = "warning", "警告", "warning"
    OFF = "off", "不检查", "off"


class ManagementMode(Term):
    """Who manages an exclusive grid."""

    TERRITORIAL_MANAGEMENT = "territorial_management", "属地管理", "territorial management"
    DUAL_MANAGEMENT = "dual_management", "双重管理", "dual management"


class ChangePresumption(Term):
    """How readily drawn grids may be redrawn."""

    FROZEN = "frozen", "原则上不再变动", "in principle never"
    YEARLY = "yearly", "一年度调整一次", "once a year"
    AS_NEEDED = "as_needed", "适时调整", "as needed"
    ON_APPLICATION = "on_application", "依申请调整", "on application"


class ChangeReason(Term):
    """Why a plan redraws grids."""

    ADMINISTRATIVE_REDIVISION = "administrative_redivision", "区划调整", "administrative redivision"
    ACTUAL_CONDITION_CHANGE = (
        "actual_condition_change",
        "网格内实际情况变动",
        "change of the facts in the grid",
    )
    MAJOR_LAYOUT_CHANGE = "major_layout_change", "布局重大变化", "major change of layout"


class FilingContent(Term):
    """What a filing (备案) must carry."""

    GRID_COUNT = "grid_count", "划分数量", "number of grids"
    POLYGONS = "polygons", "区域", "polygons"
    ROSTER = "roster", "管辖人员信息", "roster"
    DIVISION = "division", "划分情况", "the division"
    ADJUSTMENT = "adjustment", "调整情况", "the adjustment"


class StaffingModel(Term):
    """The named pattern of a grid's team."""

    NONE = "none", "未规定模式", "no named model"
    STAFFING_1_X_N = "staffing_1_x_n", "1+X+N", "1+X+N"
    STAFFING_3_X_Y = "staffing_3_x_y", "3+X+Y", "3+X+Y"


class LeaderPost(Term):
    """Posts from which a grid leader may come."""

    COMMUNITY_SECRETARY = "community_secretary", "社区(村)书记", "community secretary"
    COMMUNITY_DIRECTOR = "community_director", "居(村)委会主任", "community director"
    STATION_HEAD = "station_head", "服务站站长", "station head"
    COMMITTEE_MEMBER = "committee_member", "党组织、居(村)委会组成人员", "committee member"
    NON_CHIEF_COMMITTEE_MEMBER = (
        "non_chief_committee_member",
        "除主要负责人以外的组成人员",
        "committee member other than the chief",
    )
    FULL_TIME_GRID_WORKER = "full_time_grid_worker", "专职网格员", "full-time grid worker"


class InstructorSource(Term):
    """Where a grid instructor (网格指导员) comes from; the post differs between documents."""

    TOWNSHIP_CADRE = "township_cadre", "乡镇(街道)干部", "township cadre"
    DEPARTMENT_CADRE = "department_cadre", "职能部门干部", "department cadre"


class HostSupply(Term):
    """Whether an exclusive grid's host unit supplies its worker."""

    REQUIRED = "required", "由所在单位配备", "required"
    ALLOWED = "allowed", "可由所在单位确定", "allowed"
    NOT_STATED = "not_stated", "未提及", "not stated"


class FirstEscalation(Term):
    """To whom a worker reports what the grid cannot handle."""

    COMMUNITY = "community", "社区(村)", "community"
    TOWNSHIP = "township", "乡镇(街道)", "township"
    PLATFORM = "platform", "信息平台", "the platform"


class VerificationNeed(Term):
    """When a result is verified on site."""

    ALWAYS = "always", "一律核实", "always"
    WHEN_NEEDED = "when_needed", "需要时核实", "when needed"
    NOT_STATED = "not_stated", "未提及", "not stated"


class VerificationStart(Term):
    """The moment from which the hours for verification run."""

    DEPARTMENT_FEEDBACK = "department_feedback", "自部门反馈起", "from the department's feedback"
    VERIFICATION_REQUEST = "verification_request", "自要求核实起", "from the request to verify"


class LoopActor(Term):
    """Who acts for the grid network in the incident loop."""

    GRID_WORKER = "grid_worker", "网格员", "grid worker"
    INSTITUTION = "institution", "网格化机构", "grid institution"


class ScoreAspect(Term):
    """What a department is scored on."""

    ACCEPTANCE = "acceptance", "受理情况", "acceptance"
    HANDLING = "handling", "处置情况", "handling"
    RESULT = "result", "办理结果", "result"


class CameraSource(Term):
    """Whose cameras are joined on one map."""

    PUBLIC_SAFETY = "public_safety", "公共安全视频监控", "public safety"
    EMERGENCY = "emergency", "应急监控", "emergency"
    ECOLOGY = "ecology", "生态监控", "ecology"
    RESIDENTIAL_QUARTER = "residential_quarter", "城市小区监控", "residential quarters"


class SensorKind(Term):
    """智能感知设备."""

    PLATE_RECOGNITION = "plate_recognition", "车辆识别", "plate recognition"
    FACE_RECOGNITION = "face_recognition", "人脸识别", "face recognition"


class HallArea(Term):
    """Functional areas of a grid institution."""

    BIG_SCREEN_AREA = "big_screen_area", "大屏展示区", "big-screen area"
    RECEPTION_AREA = "reception_area", "群众接待区", "reception area"
    SERVICE_AREA = "service_area", "服务功能区", "service area"
    OFFICE_AREA = "office_area", "办公区", "office area"


class WallPanel(Term):
    """What hangs on a community's wall."""

    GRID_DIVISION_MAP = "grid_division_map", "网格划分图", "division map"
    GRID_MEMBER_CHART = "grid_member_chart", "网格成员图", "member chart"
    WORKFLOW_CHART = "workflow_chart", "工作流程图", "workflow chart"
    SERVICE_CONTACT_PANEL = "service_contact_panel", "网格服务联系方式", "service contacts"


class NoticeField(Term):
    """What a public notice tells."""

    GRID_NAME = "grid_name", "网格名称", "grid name"
    AREA_SCOPE = "area_scope", "区域范围", "area scope"
    LEADER_NAME = "leader_name", "网格长姓名", "leader's name"
    LEADER_PHONE = "leader_phone", "网格长电话", "leader's phone"
    FULL_TIME_NAME = "full_time_name", "专职网格员姓名", "full-time worker's name"
    FULL_TIME_PHONE = "full_time_phone", "专职网格员电话", "full-time worker's phone"
    PROFESSIONAL_NAME = "professional_name", "专业网格员姓名", "professional worker's name"
    PROFESSIONAL_PHONE = "professional_phone", "专业网格员电话", "professional worker's phone"
    WORKER_NAME = "worker_name", "网格员姓名", "worker's name"
    WORKER_CONTACT = "worker_contact", "网格员联系方式", "worker's contact"
    COMPLAINT_PHONE = "complaint_phone", "监督举报电话", "complaint phone"


class NoticePlace(Term):
    """Where, or on what, a notice stands."""

    OFFICE = "office", "办公场所", "office"
    GATHERING_POINT = "gathering_point", "主要集聚点", "gathering point"
    MAIN_ACTIVITY_PLACE = "main_activity_place", "主要活动场所", "main place of activity"
    CONSPICUOUS_POSITION = "conspicuous_position", "显著位置", "conspicuous position"
    NOTICE_BOARD = "notice_board", "公示牌", "notice board"
    CONTACT_CARD = "contact_card", "联系卡", "contact card"
    MAIN_ENTRANCE = "main_entrance", "主要出入口", "main entrance"


class StaleTrigger(Term):
    """What makes a published notice out of date."""

    SCOPE = "scope", "网格范围调整", "scope"
    WORKER = "worker", "网格员调整", "worker"
    ANY_PUBLISHED_FIELD = "any_published_field", "任一公布信息调整", "any published field"


class PatrolDays(Term):
    """On which days a grid is patrolled."""

    EVERY_DAY = "every_day", "每日", "every day"
    WORKING_DAYS = "working_days", "工作日", "working days"
    REGULAR = "regular", "常态化", "regular"


class Period(Term):
    """A period of ranking or appraisal."""

    DAY = "day", "日", "day"
    WEEK = "week", "周", "week"
    MONTH = "month", "月", "month"
    QUARTER = "quarter", "季", "quarter"
    YEAR = "year", "年", "year"


class RankingUnit(Term):
    """What is ranked."""

    GRID = "grid", "网格", "grid"
    WORKER = "worker", "网格员", "worker"


class Grade(Term):
    """考核等次."""

    EXCELLENT = "excellent", "优秀", "excellent"
    GOOD = "good", "良好", "good"
    PASS = "pass", "合格", "pass"
    FAIL = "fail", "不合格", "fail"


class Organisation(Term):
    """Bodies that divide, approve, are heard, are told or handle."""

    COMMAND_CENTER = "command_center", "网格化协调指挥中心", "command centre"
    GRID_INSTITUTION = "grid_institution", "网格化机构", "grid institution"
    COMPETENT_DEPARTMENT = "competent_department", "主管基层社会治理工作部门", "competent department"
    FUNCTIONAL_DEPARTMENT = "functional_department", "职能部门", "functional department"
    LEADING_GROUP = "leading_group", "工作领导小组", "leading group"
    POLITICAL_LEGAL_COMMITTEE = "political_legal_committee", "党委政法委", "political-legal committee"
    PEACE_OFFICE = "peace_office", "平安办", "peace office"
    CIVIL_AFFAIRS_DEPARTMENT = "civil_affairs_department", "民政部门", "civil affairs department"
    ORGANIZATION_DEPARTMENT = "organization_department", "组织部", "organisation department"
    SOCIAL_WORK_DEPARTMENT = "social_work_department", "社会工作部", "social-work department"
    GOVERNANCE_CENTER = "governance_center", "综治中心", "governance centre"
    GOVERNMENT = "government", "人民政府", "government"
    PARTY_COMMITTEE = "party_committee", "党委", "party committee"
    EXCLUSIVE_HOST_UNIT = "exclusive_host_unit", "专属网格所在单位", "host unit of an exclusive grid"


class RelativeLevel(Term):
    """A level that depends on whose act it is."""

    SAME_LEVEL = "same_level", "同级", "same level"
    NEXT_HIGHER = "next_higher", "上一级", "next higher level"


@dataclass(frozen=True, slots=True)
class Body:
    """An organisation at a level, written ``organisation@level``.

    Without an organisation it is the level itself (``township``), without a level the organisation at any level.
    """

    organisation: Organisation | None
    level: AdminLevel | RelativeLevel | None = None

    def __str__(self) -> str:
        return "@".join(part.value for part in (self.organisation, self.level) if part is not None)

    @property
    def words(self) -> Words:
        """What to call it in both languages."""
        parts = [part.words for part in (self.level, self.organisation) if part is not None]
        return Words("".join(part.zh for part in parts), " ".join(part.en for part in parts))

    @property
    def message(self) -> Message:
        """The body inside a sentence."""
        if self.level is None or self.organisation is None:
            return Message(self.words.zh)
        return msg("{level}{organisation}", level=self.level.message, organisation=self.organisation.message)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``organisation@level``, ``organisation`` or ``level``; ValueError for anything else."""
        organisation, separator, level = text.partition("@")
        if separator:
            return cls(Organisation(organisation), _level(level))
        if organisation in set(AdminLevel):
            return cls(None, AdminLevel(organisation))
        return cls(Organisation(organisation))

    def admits(self, other: "Body", proposer: AdminLevel | None = None) -> bool:
        """Whether ``other``, a body at a definite level, is the one meant here.

        ``proposer`` is the level to which ``same_level`` and ``next_higher`` refer.
        """
        if self.organisation is not other.organisation:
            return False
        if self.level is None:
            return True
        if self.level is RelativeLevel.SAME_LEVEL:
            return other.level is proposer
        if self.level is RelativeLevel.NEXT_HIGHER:
            return (
                isinstance(other.level, AdminLevel)
                and proposer is not None
                and other.level.rank == proposer.rank - 1
            )
        return other.level is self.level


def _level(text: str) -> AdminLevel | RelativeLevel:
    return RelativeLevel(text) if text in set(RelativeLevel) else AdminLevel(text)


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar years, months and days of an ISO 8601 duration (``P1Y``, ``P6M``, ``P10D``)."""

    years: int = 0
    months: int = 0
    days: int = 0

    def __str__(self) -> str:
        parts = ((self.years, "Y"), (self.months, "M"), (self.days, "D"))
        return "P" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0D")

    @property
    def words(self) -> Words:
        """The duration in both languages."""
        zh = ((self.years, "年"), (self.months, "个月"), (self.days, "天"))
        en = ((self.years, "year(s)"), (self.months, "month(s)"), (self.days, "day(s)"))
        return Words(
            "".join(f"{number}{unit}" for number, unit in zh if number) or "0天",
            " ".join(f"{number} {unit}" for number, unit in en if number) or "0 days",
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ISO 8601 duration of years, months and days; ValueError for anything else."""
        match = re.fullmatch(r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?", text, re.ASCII)
        if match is None:
            raise ValueError(text)
        return cls(*(int(part or 0) for part in match.groups()))
