"""How the HTML report looks: the page's own style, and findings as they are drawn everywhere (``finding_look``)."""

from html import escape

from gis_server.core.finding_look import LOOKS, Look, Pattern

_HATCHED = {
    Pattern.HATCH: (8, "M-1 9L9 -1M-1 1L1 -1M7 9L9 7"),
    Pattern.CROSS: (8, "M-1 9L9 -1M-1 1L1 -1M7 9L9 7M-1 -1L9 9"),
    Pattern.ARROW: (18, "M4.5 13.5L13.5 4.5M13.5 9.5V4.5H8.5"),
}
"""Side of the tile, and what is drawn on it: the same as on the map of the browser."""

_PAGE = """
body{font:15px/1.6 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:960px;
padding:16px;color:#17212b;background:#fff;font-variant-numeric:tabular-nums}
h1{font-size:22px;margin:8px 0}table{border-collapse:collapse;margin:8px 0}
td,th{padding:4px 14px 4px 0;text-align:left;vertical-align:top}th{font-weight:600;white-space:nowrap}
svg{background:#f6f7f9;border:1px solid #d5dbe3;max-width:100%;height:auto}
.cell{fill:none;stroke:#7a8896;stroke-width:.6}.parent{fill:none;stroke:#17212b;stroke-width:1.3}
circle.mark{fill:#17212b;stroke:#fff;stroke-width:1}
text{font-size:8px;fill:#fff;text-anchor:middle;pointer-events:none}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0 16px;color:#55636f;font-size:14px}
.legend svg{width:22px;height:18px;vertical-align:-4px;margin-right:6px;background:none;border:0}
article{display:grid;grid-template-columns:232px 1fr;gap:12px;border-top:1px solid #d5dbe3;padding:12px 0}
.tag{color:#fff;border-radius:3px;padding:1px 7px;font-size:14px}
.tag.error{background:#a51c1c}.tag.warning{background:#875800}.tag.option{background:#27527c}
.facts{color:#55636f;font-size:14px}.en,#en:checked~main .zh{display:none}#en:checked~main .en{display:revert}
@media print{input,label{display:none}article{break-inside:avoid}}
@media(max-width:600px){article{grid-template-columns:1fr}}
"""


def style() -> str:
    """The style sheet of the report."""
    # one cell among many of the same black lines would not be seen
    bold = "".join(f".close .{k.key}{{stroke-width:4}}" for k in LOOKS if k.pattern is Pattern.LINE)
    return _PAGE + "".join(_rule(look) for look in LOOKS) + bold


def patterns() -> str:
    """The hatches that the style refers to, as an SVG that takes no room."""
    tiles = "".join(
        f'<pattern id="tile-{look.key}" width="{size}" height="{size}" patternUnits="userSpaceOnUse">'
        f'<path d="{path}" fill="none" stroke="{look.colour}" stroke-width="1.6"/></pattern>'
        for look in LOOKS
        if look.pattern in _HATCHED
        for size, path in (_HATCHED[look.pattern],)
    )
    return f'<svg width="0" height="0" style="position:absolute"><defs>{tiles}</defs></svg>'


def swatch(look: Look) -> str:
    """A sample of a look for the legend."""
    return (
        '<svg viewBox="0 0 22 18" aria-hidden="true">'
        f'<rect class="{escape(look.key)}" x="2" y="2" width="18" height="14"/></svg>'
    )


def _rule(look: Look) -> str:
    fill = f"url(#tile-{look.key})" if look.pattern in _HATCHED else "none"
    dotted = (
        ";stroke-width:3;stroke-linecap:round;stroke-dasharray:.5 5" if look.pattern is Pattern.DOTS else ""
    )
    wide = ";stroke-width:2.5" if look.pattern is Pattern.ARROW else ";stroke-width:1.6"
    return f".{look.key}{{fill:{fill};stroke:{look.colour}{dotted or wide}}}\n"
