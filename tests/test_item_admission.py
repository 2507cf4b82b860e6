"""Items come and go by the procedure of each jurisdiction; every refusal names its clause (S24 and machine 4.3)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis_server.core.admission import (
    MOVES,
    Admission,
    Attachment,
    Deed,
    Duty,
    DutyKind,
    ItemAct,
    ItemState,
    ItemTerm,
    Step,
    later,
    take,
)
from gis_server.core.errors import Conflict, GisError, NotAllowed, UnusableInput
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import Body, Duration
from gis_server.files.profile import read_profile
from gis_server.i18n import translator

DAY = date(2019, 7, 1)
PAPERS = frozenset({Attachment.INSTRUCTOR_LIST, Attachment.APPRAISAL_METHOD})


def deed(act: ItemAct, by: str | None, on: date = DAY, **details: object) -> Deed:
    return Deed(act=act, on=on, by=None if by is None else Body.parse(by), **details)  # type: ignore[arg-type]


def propose(by: str, **details: object) -> Deed:
    return deed(ItemAct.PROPOSE, by, ground="县政府文件 3 号", **details)


def approve(by: str, **details: object) -> Deed:
    return deed(ItemAct.APPROVE, by, **details)


def deploy(by: str = "grid_institution@county") -> Deed:
    return deed(ItemAct.DEPLOY, by)


def walk(key: str, *deeds: Deed, prohibited: Iterable[str] = ()) -> Step:
    """The last of several moves of one item."""
    profile: Profile = read_profile(key)
    admission: Admission | None = None
    step = None
    for each in deeds:
        step = take(profile, "flood_watch", admission, each, frozenset(prohibited))
        admission = step.admission
    assert step is not None
    return step


# proposer, approver and the body that deploys, of an ordinary standing item
WAY_IN = {
    "heilongjiang": ("functional_department@county", "leading_group@county"),
    "taizhou": ("functional_department@county", "political_legal_committee@county"),
    "gansu": ("functional_department@prefecture", "political_legal_committee@prefecture"),
    "heihe": ("grid_institution@county", "government@county"),
    "zhenjiang": ("functional_department@county", "government@county"),
}


def in_force(key: str) -> tuple[Deed, ...]:
    proposer, approver = WAY_IN[key]
    return propose(proposer, attachments=PAPERS), approve(approver), deploy()


@pytest.mark.parametrize("key", WAY_IN)
def test_the_ordinary_way_in(key: str) -> None:
    step = walk(key, *in_force(key))
    assert step.admission.state is ItemState.IN_FORCE
    assert step.admission.approved_on == DAY
    assert step.warnings == ()


@pytest.mark.parametrize(
    ("key", "duties"),
    [
        ("heilongjiang", ()),
        ("taizhou", ()),
        (
            "gansu",
            (Duty(DutyKind.FILING, "gansu 二(二)5", Body.parse("governance_center@next_higher")),),
        ),
        ("heihe", (Duty(DutyKind.PUBLICATION, "heihe 15(1)"),)),
        ("zhenjiang", (Duty(DutyKind.PUBLICATION, "zhenjiang 12(1)"),)),
    ],
)
def test_what_an_admission_leaves_to_be_done(key: str, duties: tuple[Duty, ...]) -> None:
    assert walk(key, *in_force(key)).duties == duties


def test_a_townships_item_in_taizhou_is_filed_with_the_prefecture() -> None:
    step = walk("taizhou", propose("township"), approve("political_legal_committee@county"), deploy())
    assert step.duties == (
        Duty(DutyKind.FILING, "taizhou 5.2.1.3", Body.parse("political_legal_committee@prefecture")),
    )


# ---- refusals on the way in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "deeds", "error", "clause"),
    [
        ("heilongjiang", [propose("township")], NotAllowed, "heilongjiang 8.1.6, 8.5.2"),
        (
            "heilongjiang",
            [propose("functional_department@county"), approve("grid_institution@county")],
            NotAllowed,
            "heilongjiang 8.1.6, 8.5.2",
        ),
        (
            "taizhou",
            [propose("functional_department@prefecture", attachments=PAPERS)],
            NotAllowed,
            "taizhou 5.2.1.2",
        ),
        ("taizhou", [propose("functional_department@county")], Conflict, "taizhou 5.2.1.2"),
        (
            "taizhou",
            [propose("community"), approve("political_legal_committee@prefecture")],
            NotAllowed,
            "taizhou 5.2.1.2",
        ),
        ("gansu", [propose("functional_department@township")], NotAllowed, "gansu 二(二)1"),
        # the committee of the proposer's own level, no other
        (
            "gansu",
            [propose("functional_department@county"), approve("political_legal_committee@prefecture")],
            NotAllowed,
            "gansu 二(二)1",
        ),
        ("heihe", [propose("functional_department@county")], NotAllowed, "heihe 15(1)"),
        (
            "heihe",
            [propose("grid_institution@county"), approve("leading_group@county")],
            NotAllowed,
            "heihe 15(1)",
        ),
        ("zhenjiang", [propose("township")], NotAllowed, "zhenjiang 13(1)"),
        (
            "zhenjiang",
            [propose("functional_department@prefecture"), approve("party_committee@county")],
            NotAllowed,
            "zhenjiang 13(1)",
        ),
        (
            "zhenjiang",
            [
                propose("functional_department@county"),
                approve("party_committee@county"),
                deploy("functional_department@county"),
            ],
            NotAllowed,
            "zhenjiang 12(2)",
        ),
    ],
)
def test_whoever_may_not_is_told_the_clause(
    key: str, deeds: list[Deed], error: type[GisError], clause: str
) -> None:
    with pytest.raises(error) as caught:
        walk(key, *deeds)
    assert clause in str(caught.value)


def test_a_townships_item_in_gansu_goes_to_the_countys_committee() -> None:
    step = walk("gansu", propose("township"), approve("political_legal_committee@county"))
    assert step.admission.state is ItemState.APPROVED
    with pytest.raises(NotAllowed, match="gansu 二"):
        walk("gansu", propose("township"), approve("political_legal_committee@township"))


def test_a_proposal_needs_its_ground() -> None:
    with pytest.raises(Conflict, match=r"法律依据或理由（heilongjiang 8\.1\.6, 8\.5\.2）"):
        walk("heilongjiang", replace(propose("functional_department@county"), ground="  "))


def test_the_prohibited_list_beats_an_approval() -> None:
    way = in_force("gansu")
    with pytest.raises(Conflict, match=r"禁入清单内（gansu 二\(二\)4）"):
        walk("gansu", *way, prohibited=["flood_watch"])
    refused = walk("gansu", *way[:2], deed(ItemAct.PROHIBIT, None), prohibited=["flood_watch"])
    assert refused.admission.state is ItemState.REFUSED
    with pytest.raises(Conflict, match="不在禁入清单内"):
        walk("gansu", *way[:2], deed(ItemAct.PROHIBIT, None))
    # a jurisdiction without such a list does not know it
    assert walk("heihe", *in_force("heihe"), prohibited=["flood_watch"]).admission.state is ItemState.IN_FORCE


# ---- S24, temporary items ------------------------------------------------------------------------------------------


def temporary(valid_to: date, **details: object) -> tuple[Deed, Deed]:
    return (
        propose("functional_department@county", term=ItemTerm.TEMPORARY_ITEM, valid_to=valid_to),
        approve(
            "political_legal_committee@county",
            **{"consents": frozenset({Body.parse("township")}), **details},
        ),
    )


def test_s24_a_temporary_item_of_one_year_passes_and_one_day_more_warns() -> None:
    assert walk("taizhou", *temporary(date(2020, 7, 1))).warnings == ()
    step = walk("taizhou", *temporary(date(2020, 7, 2)))
    assert step.admission.state is ItemState.APPROVED
    (warned,) = step.warnings
    assert warned.clause == "taizhou 5.2.1.4"
    assert warned.needs_reason
    assert "2020-07-02" in str(warned.message)
    (answered,) = walk("taizhou", *temporary(date(2020, 7, 2), reason="两年期试点")).warnings
    assert not answered.needs_reason


def test_a_temporary_item_in_taizhou_needs_the_township_too() -> None:
    with pytest.raises(Conflict, match=r"taizhou 5\.2\.1\.4"):
        walk("taizhou", *temporary(date(2020, 1, 1), consents=frozenset()))


def test_a_temporary_item_needs_an_end() -> None:
    without = propose("functional_department@county", term=ItemTerm.TEMPORARY_ITEM)
    with pytest.raises(Conflict, match=r"taizhou 5\.2\.1\.4"):
        walk("taizhou", without)
    with pytest.raises(Conflict, match=r"heilongjiang 8\.6\.1"):
        walk("heilongjiang", without)
    with pytest.raises(Conflict, match="文件未规定"):
        walk("zhenjiang", without)
    with pytest.raises(UnusableInput, match="早于"):
        walk("heilongjiang", replace(without, valid_to=date(2019, 6, 30)))


def test_an_item_leaves_by_itself_after_its_last_day() -> None:
    proposal = propose(
        "functional_department@county", term=ItemTerm.TEMPORARY_ITEM, valid_to=date(2019, 12, 31)
    )
    way = (proposal, approve("leading_group@county"), deploy())
    with pytest.raises(Conflict, match="尚未到期"):
        walk("heilongjiang", *way, deed(ItemAct.EXPIRE, None, date(2019, 12, 31)))
    step = walk("heilongjiang", *way, deed(ItemAct.EXPIRE, None, date(2020, 1, 1)))
    assert step.admission.state is ItemState.EXITED
    with pytest.raises(Conflict, match="尚未到期"):
        walk("heilongjiang", *in_force("heilongjiang"), deed(ItemAct.EXPIRE, None, date(2030, 1, 1)))


# ---- the way out --------------------------------------------------------------------------------------------------


def leave(by: str, **details: object) -> Deed:
    return deed(ItemAct.PROPOSE_EXIT, by, **details)


def endorse(by: str) -> Deed:
    return deed(ItemAct.ENDORSE_EXIT, by)


def let_go(by: str) -> Deed:
    return deed(ItemAct.EXIT, by)


WRITTEN = frozenset({Attachment.WRITTEN_APPLICATION})

WAY_OUT: dict[str, tuple[Deed, ...]] = {
    "heilongjiang": (leave("community"), endorse("township"), let_go("leading_group@county")),
    "taizhou": (leave("functional_department@county"), let_go("political_legal_committee@county")),
    "gansu": (leave("township", attachments=WRITTEN), let_go("political_legal_committee@county")),
    "heihe": (leave("grid_institution@county"), let_go("government@county")),
    "zhenjiang": (leave("grid_institution@prefecture"), let_go("party_committee@prefecture")),
}


@pytest.mark.parametrize("key", WAY_OUT)
def test_the_way_out_and_back(key: str) -> None:
    out = (*in_force(key), *WAY_OUT[key])
    assert walk(key, *out).admission.state is ItemState.EXITED
    # re-entry is a new admission, with every requirement of the first
    again = walk(key, *out, *in_force(key))
    assert again.admission.state is ItemState.IN_FORCE
    assert again.admission.exit_path == ()
    with pytest.raises(Conflict):
        walk(key, *out, approve(WAY_IN[key][1]))


def test_an_exit_may_have_to_be_filed() -> None:
    (duty,) = walk("gansu", *in_force("gansu"), *WAY_OUT["gansu"]).duties
    assert (duty.kind, duty.clause) == (DutyKind.FILING, "gansu 二(二)3")
    assert walk("zhenjiang", *in_force("zhenjiang"), *WAY_OUT["zhenjiang"]).duties == ()


@pytest.mark.parametrize(
    ("key", "deeds", "error", "clause"),
    [
        # community → township → leading group
        ("heilongjiang", [leave("functional_department@county")], NotAllowed, "heilongjiang 8.6.2"),
        (
            "heilongjiang",
            [leave("community"), let_go("leading_group@county")],
            Conflict,
            "heilongjiang 8.6.2",
        ),
        ("heilongjiang", [leave("community"), endorse("community")], NotAllowed, "heilongjiang 8.6.2"),
        (
            "heilongjiang",
            [leave("community"), endorse("township"), endorse("township")],
            Conflict,
            "heilongjiang 8.6.2",
        ),
        (
            "heilongjiang",
            [leave("community"), endorse("township"), let_go("township")],
            NotAllowed,
            "heilongjiang 8.6.2",
        ),
        ("gansu", [leave("township")], Conflict, "gansu 二(二)3"),
        (
            "gansu",
            [leave("township", attachments=WRITTEN), let_go("political_legal_committee@township")],
            NotAllowed,
            "gansu 二(二)3",
        ),
        ("taizhou", [leave("township")], NotAllowed, "taizhou 5.2.2"),
        ("zhenjiang", [leave("grid_institution@township")], NotAllowed, "zhenjiang 13(2)"),
        (
            "zhenjiang",
            [leave("grid_institution@prefecture"), let_go("government@county")],
            NotAllowed,
            "zhenjiang 13(2)",
        ),
        (
            "heihe",
            [leave("grid_institution@county"), let_go("grid_institution@county")],
            NotAllowed,
            "heihe 15(1)",
        ),
    ],
)
def test_an_exit_out_of_order_is_told_the_clause(
    key: str, deeds: list[Deed], error: type[GisError], clause: str
) -> None:
    with pytest.raises(error) as caught:
        walk(key, *in_force(key), *deeds)
    assert clause in str(caught.value)


# ---- the table of moves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, *ItemState])
@pytest.mark.parametrize("act", ItemAct)
def test_what_is_not_in_the_table_is_refused_whoever_asks(state: ItemState | None, act: ItemAct) -> None:
    if (state, act) in MOVES:
        return
    before = None
    if state is not None:
        before = Admission(
            item="x",
            state=state,
            term=ItemTerm.STANDING_ITEM,
            proposer=Body.parse("township"),
            ground="g",
            exit_path=(Body.parse("community"),),
        )
    with pytest.raises(Conflict, match=act.words.zh):
        take(read_profile("heilongjiang"), "x", before, deed(act, "leading_group@county"))


def test_a_refusal_can_be_read_in_english() -> None:
    with pytest.raises(NotAllowed) as caught:
        walk("zhenjiang", propose("township"))
    spoken = caught.value.message.render(translator("en"))
    assert "functional department" in spoken
    assert "zhenjiang 13(1)" in spoken


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.integers(0, 5),
    st.integers(0, 30),
    st.integers(0, 40),
)
def test_a_span_later(day: date, years: int, months: int, days: int) -> None:
    after = later(day, Duration(years, months, days))
    assert after >= day
    only_months = later(day, Duration(years, months))
    assert (only_months.year * 12 + only_months.month) - (day.year * 12 + day.month) == years * 12 + months
    assert only_months.day == day.day or only_months.day < day.day <= 31
    assert later(date(2024, 2, 29), Duration(1)) == date(2025, 2, 28)
