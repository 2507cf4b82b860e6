"""Which column of a file means which field of a layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis_server.core.catalogue import Field, Layer
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.core.values import plain

_SHORTEST_CUT = 3  # characters: five GB18030 or three UTF-8 Chinese characters are what ten bytes hold


@dataclass(frozen=True, slots=True)
class Matched:
    """Source column by field, and the source columns left over."""

    by_field: Mapping[str, str]
    unused: tuple[str, ...]


def match_columns(
    layer: Layer,
    columns: Sequence[str],
    mapping: Mapping[str, str],
    *,
    cut_at: int | None,
    encoding: str | None,
) -> Matched:
    """Find each field's column: by ``mapping`` first, then by name, alias or title, then by a name cut short.

    Case, blanks, underscores and full-width forms do not matter. A column whose name fills ``cut_at`` bytes (10 in
    dBASE) may be the beginning of a name, as long as it begins names of one field only. Raises UnusableInput for a
    mapping that names an unknown field or column, and for a required field without any column.
    """
    by_field = _explicit(layer, columns, mapping)
    taken = set(by_field.values())

    by_word: dict[str, list[str]] = {}
    for column in columns:
        by_word.setdefault(_word(column), []).append(column)
    for name, field in layer.fields.items():
        if name in by_field:
            continue
        free = (c for word in _words(field) for c in by_word.get(word, ()) if c not in taken)
        found = next(free, None)
        if found is not None:
            by_field[name] = found
            taken.add(found)

    if cut_at is not None:
        for column in columns:
            if column in taken or not _may_be_cut(column, cut_at, encoding):
                continue
            word = _word(column)
            fields = [
                name
                for name, field in layer.fields.items()
                if name not in by_field and any(w.startswith(word) for w in _words(field))
            ]
            if len(fields) == 1:
                by_field[fields[0]] = column
                taken.add(column)

    missing = [f for f in layer.fields.values() if f.required and f.name not in by_field]
    if missing:
        raise UnusableInput(
            msg(
                "缺少图层“{layer}”必需的列：{fields}；文件里的列有：{columns}。"
                "请改列名，或用 --map 字段=列名 指定（例如 --map {first}=列名）。",
                layer=layer.title,
                fields=tuple(msg("{title}（{name}）", title=f.title, name=f.name) for f in missing),
                columns=tuple(columns) or msg("（无）"),
                first=missing[0].name,
            ),
            field=missing[0].name,
        )
    return Matched(by_field, tuple(c for c in columns if c not in taken))


def _explicit(layer: Layer, columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    by_field: dict[str, str] = {}
    for name, wanted in mapping.items():
        if name not in layer.fields:
            raise UnusableInput(
                msg(
                    "图层“{layer}”没有字段“{field}”；可用字段：{known}。",
                    layer=layer.title,
                    field=name,
                    known=tuple(layer.fields),
                ),
                field=name,
            )
        same = [c for c in columns if c == wanted] or [c for c in columns if _word(c) == _word(wanted)]
        if not same:
            raise UnusableInput(
                msg(
                    "文件里没有列“{column}”（指定给字段 {field}）；现有列：{known}。",
                    column=wanted,
                    field=name,
                    known=tuple(columns) or msg("（无）"),
                ),
                field=name,
            )
        by_field[name] = same[0]
    return by_field


def _word(name: str) -> str:
    return plain(name).replace("_", "").replace(" ", "").replace("-", "")


def _words(field: Field) -> tuple[str, ...]:
    return tuple(_word(n) for n in (*field.accepted_names, field.title.zh, field.title.en))


def _may_be_cut(column: str, cut_at: int, encoding: str | None) -> bool:
    try:
        length = len(column.encode(encoding or "utf-8"))
    except (UnicodeEncodeError, LookupError):
        return False
    # a cut inside a character leaves up to two bytes (UTF-8) or one (GB18030) fewer once the broken tail is gone
    lost = 0 if column.isascii() else 2 if (encoding or "utf-8").lower().startswith("utf") else 1
    return cut_at - lost <= length <= cut_at and len(column) >= _SHORTEST_CUT
