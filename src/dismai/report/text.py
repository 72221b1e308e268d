"""Tables for a terminal."""

import re


def align_columns(markdown: str) -> str:
    """A Markdown table with aligned columns, numbers to the right; a dash for what is missing.

    Lines that are no row of the table, such as notes below it, follow as they are.
    """
    written = [line.strip() for line in markdown.splitlines() if line.strip()]
    notes = [line for line in written if not line.startswith("|")]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in written
        if line.startswith("|") and not re.fullmatch(r"[\s|:-]+", line)
    ]
    missing = {"nan", "None", "<NA>", ""}
    rows = [["–" if cell in missing else cell for cell in row] for row in rows]
    if not rows:
        return "\n".join(notes)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if _is_number(column[1:]) else cell.ljust(width)
            for cell, width, column in zip(row, widths, zip(*rows, strict=True), strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _is_number(cells: tuple[str, ...]) -> bool:
    return all(cell == "–" or re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", cell) for cell in cells)
