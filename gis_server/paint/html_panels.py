"""Panels in an HTML page, beside the interactive map or without it: pictures made of lines, inside the page itself."""

import base64
import html
from collections.abc import Sequence

from gis_server.paint.canvas import Page, svg

Panel = tuple[str, Page]
"""A panel's title and its page."""

_STYLE = """
.wall-panel { box-sizing: border-box; width: 100%; padding: 2vmin; background: #e9ecf0; }
.wall-panel img { display: block; width: 100%; height: auto; background: #ffffff; box-shadow: 0 1px 6px rgb(0 0 0 / 25%); }
@media print { .wall-panel { padding: 0; break-before: page; } .wall-panel img { box-shadow: none; } }
"""


def with_panels(page: str, panels: Sequence[Panel]) -> str:
    """The page of an interactive map with panels below it."""
    if not panels:
        return page
    sections = f"<style>{_STYLE}</style>{_sections(panels)}"
    head, end, rest = page.rpartition("</body>")
    return f"{head}{sections}{end}{rest}"


def panels_only(language: str, title: str, panels: Sequence[Panel]) -> str:
    """A page of panels alone."""
    lang = "en" if language == "en" else "zh-CN"
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>body {{ margin: 0; }}{_STYLE}</style></head><body>{_sections(panels)}</body></html>"
    )


def _sections(panels: Sequence[Panel]) -> str:
    # each picture is a document of its own: letters of two drawings share their names
    return "".join(
        f'<section class="wall-panel"><img alt="{html.escape(title, quote=True)}" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(svg(page).encode()).decode()}"></section>'
        for title, page in panels
    )
