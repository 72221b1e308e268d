"""Figures inside a page: colours that a dark background changes, names that readers hear."""

import re
from html import escape, unescape

INK, PAPER = "#000000", "#ffffff"
DARK = {
    "#0072b2": "#56a8e0", "#d55e00": "#f0873c", "#009e73": "#2fc79a", "#cc79a7": "#e39ac2",
    "#e69f00": "#f2b632", "#332288": "#9b8cf0", "#56b4e9": "#7fcbf5", "#999933": "#c9c95a",
    "#882255": "#d970a8", "#44aa99": "#62cbb9", "#661100": "#d0664e", "#4d4d4d": "#b8b8b8",
    "#a6a6a6": "#8c8c8c", "#777777": "#a0a0a0", "#c4c4c4": "#7a7a7a", "#909090": "#969696",
    "#444444": "#c4c4c4", "#262626": "#e7ecf1", "#117733": "#52b36f",
}  # fmt: skip
"""Colours of figures on white, and what stands for them on a dark page."""


def theme_css() -> str:
    """The colours as variables of a page, for light and for dark."""
    light = "".join(f"--c{color[1:]}:{color};" for color in DARK)
    dark = "".join(f"--c{color[1:]}:{other};" for color, other in DARK.items())
    return f":root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


def as_element(svg: str) -> str:
    """An SVG file as an element of a page, without references."""
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)  # HTML knows these names by itself
    return text.replace("xlink:href", "href")


def titled(element: str, title: str) -> str:
    """An SVG element with the name that a screen reader says."""
    head, _, rest = element.partition(">")
    return f'{head} role="img"><title>{escape(title)}</title>{rest}'


def title_of(svg: str) -> str:
    """What an SVG file calls itself; nothing if it has no name."""
    found = re.search(r"<title>(.*?)</title>", svg, re.DOTALL)
    return unescape(found[1]) if found else ""


def themed(svg: str, title: str | None = None) -> str:
    """An SVG file as an element of a page: colours by variables, one name, no references.

    Black is the ink of the page and white its paper.  title: what a screen reader says.
    """
    text = re.sub(r'<g id="[^"]*"', "<g", as_element(svg))
    text = re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: variable(found.group()), text)
    if title is None:
        return text
    return titled(re.sub(r"<title>.*?</title>", "", text, count=1, flags=re.DOTALL), title)


def variable(color: str) -> str:
    """A colour of figures as a page takes it, such that a dark background changes it."""
    color = color.lower()
    fixed = {INK: "currentColor", PAPER: "var(--page)"}
    return fixed.get(color) or (f"var(--c{color[1:]})" if color in DARK else color)
