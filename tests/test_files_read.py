from pathlib import Path

import pytest
import shapely
import ugly

from gis_server.core.catalogue import Catalogue
from gis_server.core.datum import Datum
from gis_server.core.features import FeatureTable, fit
from gis_server.files import catalogue as catalogue_files
from gis_server.files.read import read

LAYERS = Path(__file__).parent.parent / "layers"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogue_files.load(LAYERS)


def bring(catalogue: Catalogue, layer: str, path: Path, options: dict[str, str]) -> FeatureTable:
    datum = Datum(options["datum"]) if "datum" in options else None
    raw = read(path, crs=options.get("crs"), encoding=options.get("encoding"), datum=datum, names=(layer,))
    return fit(catalogue[layer], raw)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*")}


@pytest.mark.parametrize("case", ugly.UGLY, ids=lambda case: case.name)
def test_bad_file_gets_its_sentence(case: ugly.UglyFile, tmp_path: Path, catalogue: Catalogue) -> None:
    path = case.make(tmp_path)
    before = listing(tmp_path)
    with pytest.raises(case.error) as refused:
        bring(catalogue, case.layer, path, dict(case.options))
    assert type(refused.value) is case.error
    sentence = str(refused.value)
    assert case.fragment in sentence
    assert sentence.endswith("。")
    assert "！" not in sentence
    assert str(tmp_path) not in sentence or case.name == "no such file"
    assert listing(tmp_path) == before


@pytest.mark.parametrize("case", ugly.USABLE, ids=lambda case: case.name)
def test_ugly_file_is_read_right(case: ugly.UsableFile, tmp_path: Path, catalogue: Catalogue) -> None:
    path = case.make(tmp_path)
    before = listing(tmp_path)
    table = bring(catalogue, case.layer, path, dict(case.options))
    assert table.columns[case.of].tolist() == list(case.values)
    assert [p for p in table.problems if p.rejected] == []
    assert shapely.bounds(table.geometry).min(axis=0) == pytest.approx([119.4, 32.2, 119.4, 32.2], abs=0.02)
    assert listing(tmp_path) == before
