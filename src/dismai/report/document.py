"""The frame of a page: one HTML file that opens offline, light or dark as its reader likes."""

from html import escape

from dismai.report.themes import theme_css

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)
"""What a browser may load for the page: nothing from outside."""


def document(title: str, style: str, body: str, policy: str = "") -> str:
    """The text of a page.

    Args:
        title: of the window, plain text.
        style: CSS beside the colours of figures.
        body: HTML.
        policy: what a browser may load; none is stated by default.
    """
    allowed = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{allowed}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{theme_css()}{style}</style></head><body>\n"
        f"{body}</body></html>\n"
    )
