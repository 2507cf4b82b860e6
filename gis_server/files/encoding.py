"""Which encoding text bytes are in, decided by the bytes and not by what stands beside them."""

import codecs
import re
from collections.abc import Sequence

from gis_server.core.errors import UnknownEncoding
from gis_server.core.message import msg

UTF8 = "UTF-8"
GB18030 = "GB18030"
_LOOK_AT = 100_000  # bytes of each piece
_CJK = re.compile("[\u2e80-\U0010ffff]")
_GB_NAMES = ("gbk", "gb2312", "cp936", "936", "ansi936", "ansi 936")


def parse_encoding(name: str) -> str:
    """The canonical name of an encoding a person states; UnknownEncoding if there is none such."""
    if name.strip().lower() in _GB_NAMES:
        return GB18030  # the superset: the same bytes for every GBK character
    try:
        found = codecs.lookup(name.strip()).name
    except LookupError:
        raise UnknownEncoding(
            msg("不认识文字编码“{name}”；常用：UTF-8、GB18030。", name=name), field="encoding"
        ) from None
    return {"utf-8": UTF8, "gb18030": GB18030}.get(found, found)


def decide(cells: Sequence[bytes], full_width: Sequence[bytes] = (), *, where: str) -> str:
    """The encoding of pieces of text: strict UTF-8, then strict GB18030, else UnknownEncoding naming ``where``.

    ``full_width`` are pieces that fill their field and may have been cut inside a character. Bytes that are UTF-8 by
    chance (two-byte characters only, the "联通" case) but Chinese in GB18030 are taken as GB18030.
    """
    utf8 = _decoded(cells, full_width, UTF8)
    if utf8 is not None:
        if utf8.isascii() or _CJK.search(utf8):
            return UTF8
        gb = _decoded(cells, full_width, GB18030)
        return GB18030 if gb is not None and _CJK.search(gb) else UTF8
    if _mostly_utf8(cells):
        raise UnknownEncoding(
            msg(
                "{file} 里的文字大部分是 UTF-8，但有损坏的地方；请用 --encoding utf-8 查出是第几行，修正后再导入。",
                file=where,
            ),
            field="encoding",
        )
    if _decoded(cells, full_width, GB18030) is not None:
        return GB18030
    raise UnknownEncoding(
        msg(
            "{file} 里的文字既不是 UTF-8，也不是 GB18030（GBK），无法判断编码；请用 --encoding 说明，例如 BIG5。",
            file=where,
        ),
        field="encoding",
    )


def _decoded(cells: Sequence[bytes], full_width: Sequence[bytes], encoding: str) -> str | None:
    try:
        return b"\n".join(cells).decode(encoding) + "\n".join(decode_cut(c, encoding) for c in full_width)
    except UnicodeDecodeError:
        return None


def _mostly_utf8(cells: Sequence[bytes]) -> bool:
    """Whether most pieces are Chinese in UTF-8: real GB18030 hardly ever is, while it can spell almost any bytes."""
    lines = [line for cell in cells for line in cell[:_LOOK_AT].split(b"\n") if not line.isascii()][:1000]
    chinese = 0
    for line in lines:
        try:
            chinese += _CJK.search(line.decode(UTF8)) is not None
        except UnicodeDecodeError:
            continue
    return 2 * chinese > len(lines)


def decode_cut(text: bytes, encoding: str) -> str:
    """Decode bytes that may end inside a character: the broken tail is dropped, anything else raises."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    return decoder.decode(text)  # not final: an unfinished character at the end waits for ever


def decode_text(data: bytes, encoding: str | None, *, where: str) -> tuple[str, str]:
    """A whole text file and its encoding: by byte-order mark, by ``encoding`` if stated, else by its bytes."""
    for mark, name in (
        (codecs.BOM_UTF8, UTF8),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return _strictly(data[len(mark) :], name, where), name
    chosen = parse_encoding(encoding) if encoding else decide([data], where=where)
    return _strictly(data, chosen, where), chosen


def _strictly(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnknownEncoding(
            msg(
                "{file} 第 {line} 行不是 {encoding} 文字；请核对 --encoding。",
                file=where,
                line=line,
                encoding=encoding,
            ),
            field="encoding",
        ) from None
