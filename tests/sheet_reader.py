"""Reads a printed sheet back: sizes in millimetres, texts, fonts, lines."""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

MM = 25.4 / 72


@dataclass(frozen=True)
class Line:
    """A path of a page: its corners as sub-paths in millimetres from the upper left."""

    parts: tuple[tuple[tuple[float, float], ...], ...]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        xs = [x for part in self.parts for x, _ in part]
        ys = [y for part in self.parts for _, y in part]
        return min(xs), min(ys), max(xs), max(ys)


class Sheets:
    """A PDF."""

    def __init__(self, content: bytes) -> None:
        self.document = pdfium.PdfDocument(content)

    def __len__(self) -> int:
        return len(self.document)

    def size(self, page: int = 0) -> tuple[float, float]:
        width, height = self.document[page].get_size()
        return width * MM, height * MM

    def text(self, page: int | None = None) -> str:
        pages = range(len(self)) if page is None else [page]
        return "\n".join(self.document[n].get_textpage().get_text_bounded() for n in pages)

    def fonts(self) -> dict[str, bool]:
        """Base names of all fonts used, and whether each is in the file."""
        found = {}
        for number in range(len(self)):
            for one in self._objects(number, raw.FPDF_PAGEOBJ_TEXT):
                font = raw.FPDFTextObj_GetFont(one.raw)
                name = ctypes.create_string_buffer(200)
                raw.FPDFFont_GetBaseFontName(font, name, 200)
                found[name.value.decode()] = raw.FPDFFont_GetIsEmbedded(font) == 1
        return found

    def letter_sizes(self, page: int = 0) -> set[float]:
        """Sizes of all letters in points."""
        sizes = set()
        for one in self._objects(page, raw.FPDF_PAGEOBJ_TEXT):
            size = ctypes.c_float()
            raw.FPDFTextObj_GetFontSize(one.raw, size)
            matrix = one.get_matrix()
            sizes.add(round(size.value * math.hypot(matrix.a, matrix.b), 2))
        return sizes

    def letters(self, page: int = 0) -> tuple[float, float, float, float]:
        """The box around all letters in millimetres from the upper left."""
        _, height = self.size(page)
        boxes = [one.get_bounds() for one in self._objects(page, raw.FPDF_PAGEOBJ_TEXT)]
        left, bottom, right, top = zip(*boxes, strict=True)
        return min(left) * MM, height - max(top) * MM, max(right) * MM, height - min(bottom) * MM

    def lines(self, page: int = 0) -> list[Line]:
        _, height = self.size(page)
        found = []
        for one in self._objects(page, raw.FPDF_PAGEOBJ_PATH):
            parts: list[list[tuple[float, float]]] = []
            matrix = one.get_matrix()
            for number in range(raw.FPDFPath_CountSegments(one.raw)):
                segment = raw.FPDFPath_GetPathSegment(one.raw, number)
                x, y = ctypes.c_float(), ctypes.c_float()
                raw.FPDFPathSegment_GetPoint(segment, x, y)
                if raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_MOVETO or not parts:
                    parts.append([])
                east = matrix.a * x.value + matrix.c * y.value + matrix.e
                north = matrix.b * x.value + matrix.d * y.value + matrix.f
                parts[-1].append((east * MM, height - north * MM))
            found.append(Line(tuple(tuple(part) for part in parts)))
        return found

    def _objects(self, page: int, kind: int) -> Iterator[pdfium.PdfObject]:
        return self.document[page].get_objects(filter=[kind], max_depth=5)
