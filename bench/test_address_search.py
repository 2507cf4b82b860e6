"""300,000 addresses: how long a question takes, two characters above all, and how often the right address is found.

A time is that of the whole journey, database and routing included. Other programs may be at work on the machine: the
processor's time, ours and the database's together, is held to the aim, and the clock's is told beside it.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.address_text import grams
from gis_server.core.datum import Datum
from gis_server.journeys import layers
from gis_server.journeys.addresses import search
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.journeys.sample_files import make_sample
from gis_server.postgis import PrivateServer
from gis_server.settings import Settings
from gis_server.store.migrate import upgrade

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from perturbed import PERTURBATIONS

TOWNS = 15
LEAST_ADDRESSES = 300_000
QUESTIONS = 300
MOST_MS = 20.0
MOST_WHOLE_MS = 100.0
RECALL = 100
LEAST_RECALL = 0.97


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """A city of 300,000 households with an address each, loaded as any file is."""
    folder = tmp_path_factory.mktemp("large")
    files = folder / "files"
    make_sample(
        files,
        seed=12,
        towns=TOWNS,
        communities_per_town=8,
        per_household=True,
        progress=lambda _done, _total: None,
    )
    with PrivateServer(folder / "postgres").in_use() as url:
        upgrade(url)
        ctx = context(
            Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(folder / "var")}), url
        )
        now = datetime.now(UTC)
        for layer, name in (
            ("area", "areas.shp"),
            ("grid", "grids.shp"),
            ("sub_grid", "sub_grids.shp"),
            ("address", "addresses.gpkg"),
        ):
            done = layers.import_layer(
                ctx,
                CONSOLE,
                layer,
                files / "clean" / name,
                datum=Datum.CGCS2000 if layer == "address" else None,
                publish=True,
                accept_warnings="示例数据，仅供测量",
                now=now,
            )
            assert done.held_back is None, done.held_back
        yield ctx
        ctx.engine.dispose()


def processor_ms(pid: int) -> float:
    """Time that a process has been on a processor."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def measured(
    ctx: Context, questions: Sequence[str], say: Callable[[str], None], what: str, most: float = MOST_MS
) -> float:
    """The 95th percentile of the processor's time (ms) over these questions, after a warm-up."""
    now = datetime.now(UTC)
    with ctx.engine.connect() as conn:
        backend = conn.scalar(text("SELECT pg_backend_pid()"))
    assert backend is not None
    for question in questions[:20]:
        search(ctx, CONSOLE, question, at=now)
    took, used = [], []
    for question in questions:
        start, own, theirs = time.perf_counter(), time.process_time(), processor_ms(backend)
        search(ctx, CONSOLE, question, at=now)
        took.append((time.perf_counter() - start) * 1000)
        used.append((time.process_time() - own) * 1000 + processor_ms(backend) - theirs)
    processor, clock = np.percentile(used, (50, 95)), np.percentile(took, (50, 95))
    say(
        f"{what}: processor p50 {processor[0]:.1f} ms, p95 {processor[1]:.1f} ms (at most {most:.0f});"
        f" clock p50 {clock[0]:.1f} ms, p95 {clock[1]:.1f} ms"
    )
    return float(processor[1])


def test_questions_of_two_characters_are_answered_within_20_ms(
    large: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="")

    with large.engine.connect() as conn:
        count = conn.scalar(text("SELECT count(*) FROM address"))
        names = list(conn.scalars(text("SELECT name FROM address_name")))
    assert count is not None
    assert count >= LEAST_ADDRESSES
    say(f"{count} addresses of {len(names)} names")
    held = Counter(gram for name in names for gram in grams(name) if len(gram) == 2)
    chance = random.Random(1)
    common = [gram for gram, _ in held.most_common(30)] * 10
    usual = chance.sample(sorted(held), min(QUESTIONS, len(held)))
    # as people ask: beginnings of names, which are seldom rare
    typed = [
        name[at : at + 2]
        for name in chance.choices(names, k=QUESTIONS)
        for at in [chance.randrange(len(name) - 1)]
    ]
    slowest = [
        measured(large, questions, say, what)
        for questions, what in (
            (usual, "any two characters"),
            (typed, "two characters of any name"),
            (common, "the thirty commonest pairs (小区 …)"),
        )
    ]
    assert max(slowest) <= MOST_MS


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_the_right_address_is_among_five(
    large: Context, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with large.engine.connect() as conn:
        known = {
            row[0]: row[1] for row in conn.execute(text("SELECT address_code, standard_address FROM address"))
        }
    chance, now = random.Random(kind), datetime.now(UTC)
    hits = wrong = 0
    for code in chance.sample(sorted(known), RECALL):
        answer = search(large, CONSOLE, PERTURBATIONS[kind](chance, known[code]), at=now)
        hits += code in [one.address.code for one in answer.found]
        wrong += answer.the_one is not None and answer.the_one.address.code != code
    with capsys.disabled():
        print(f"\n{kind}: recall@5 {hits / RECALL:.3f}, certain but another {wrong / RECALL:.3f}", end="")
    assert hits / RECALL >= LEAST_RECALL


def test_whole_addresses_are_answered_in_time_to_type(
    large: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    with large.engine.connect() as conn:
        known = list(
            conn.scalars(
                text("SELECT standard_address FROM address TABLESAMPLE BERNOULLI (1) REPEATABLE (1)")
            )
        )
    chance = random.Random(2)
    kinds = list(PERTURBATIONS.values())
    asked = [chance.choice(kinds)(chance, one) for one in chance.sample(known, QUESTIONS)]
    with capsys.disabled():
        slowest = measured(
            large, asked, lambda line: print(f"\n{line}"), "whole addresses, perturbed", MOST_WHOLE_MS
        )
    assert slowest <= MOST_WHOLE_MS
