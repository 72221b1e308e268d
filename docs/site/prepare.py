"""Pages of the documentation as the site takes them: with its menu, and the Python API.

    python docs/site/prepare.py OUT

Nothing of the package is imported: signatures and docstrings are read from its source.
"""

import ast
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "dismai"
ROOMS = {
    "": "What `import dismai` offers.",
    "evaluation": "Clean, relax, describe, score a set; ranking and comparisons.",
    "datasets": "What datasets are, how they are made, and baselines.",
    "models": "The contract of a generative model, and one package an architecture.",
    "metrics": "Descriptors of structures, and distances between sets.",
    "geometry": "Cell lists, Voronoi cells, lattices, cluster expansions.",
    "potentials": "Potentials by name, relaxation, fits.",
    "dft": "Engines that label structures.",
    "files": "Structures, tables, tensors, archives.",
    "report": "Tables, figures, pages.",
}
"""Packages whose public functions and classes stand in the reference."""
SECTIONS = re.compile(r"^(Args|Returns|Raises|Yields|Attributes):$", re.MULTILINE)
LISTED = re.compile(r"^- \[[^\]]+\]\(([\w/]+)\.md\)", re.MULTILINE)
HEADED = re.compile(r"^## (.+)\n((?:(?!^## ).*\n?)*)", re.MULTILINE)


def prepare(out: Path) -> None:
    """Write the pages of docs/ and the reference of the API into a folder."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "docs", out, ignore=shutil.ignore_patterns("report", "site"))
    for name in ("conf.py", "site.css", "site.js"):
        shutil.copy(ROOT / "docs" / "site" / name, out)
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        text = text.replace("](CHANGELOG.md", "](changelog.md")
        (out / name.lower()).write_text(text, encoding="utf-8")
    (out / "api").mkdir()
    for room, about in ROOMS.items():
        (out / "api" / f"{room or 'dismai'}.md").write_text(page_of(room, about), encoding="utf-8")
    index = out / "index.md"
    index.write_text(with_menu(index.read_text(encoding="utf-8")), encoding="utf-8")


def with_menu(text: str) -> str:
    """The first page with hidden lists of the pages that it links to, by its headings."""
    menus = []
    for heading, body in HEADED.findall(text):
        names = LISTED.findall(body)
        if names:
            menus.append(menu(heading, names))
    api = [f"api/{room or 'dismai'}" for room in ROOMS]
    menus += [menu("Source reference", api), menu("Project", ["contributing", "changelog"])]
    return text + "\n" + "\n".join(menus)


def menu(caption: str, names: list[str]) -> str:
    """One part of the menu of the site."""
    listed = "\n".join(names)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def page_of(room: str, about: str) -> str:
    """The reference of one package: all that its modules define in public."""
    name = f"dismai.{room}" if room else "dismai"
    parts = [f"# {name}\n\n{about}\n"]
    files = sorted((PACKAGE / room).rglob("*.py")) if room else [PACKAGE / "__init__.py"]
    for file in files:
        module = ".".join(("dismai", *file.relative_to(PACKAGE).with_suffix("").parts))
        tree = ast.parse(file.read_text(encoding="utf-8"))
        members = list(public(tree))
        if members:
            head = f"## {module.removesuffix('.__init__')}\n\n{prose(ast.get_docstring(tree))}"
            parts += [head, *members]
    return "\n".join(parts)


def public(tree: ast.Module) -> Iterator[str]:
    """Functions and classes of a module that are public and have a docstring."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if not node.name.startswith("_") and ast.get_docstring(node):
                yield member(node)


def member(node: ast.FunctionDef | ast.ClassDef) -> str:
    """One function or class; of a class its public methods below it."""
    parts = [f"### {node.name}\n\n{signature(node)}\n\n{prose(ast.get_docstring(node))}"]
    methods = node.body if isinstance(node, ast.ClassDef) else []
    for own in methods:
        if isinstance(own, ast.FunctionDef) and not own.name.startswith("_"):
            if ast.get_docstring(own):
                parts.append(f"{signature(own)}\n\n{prose(ast.get_docstring(own))}")
    return "\n".join(parts)


def signature(node: ast.FunctionDef | ast.ClassDef) -> str:
    """How something is called, as Python writes it."""
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        code = f"class {node.name}({bases})" if bases else f"class {node.name}"
    else:
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        arguments = ast.unparse(node.args)
        code = f"{node.name}({arguments}){returns}"
        if len(code) > 88:
            listed = ",\n".join(arguments_of(node.args))
            code = f"{node.name}(\n{textwrap.indent(listed, '    ')},\n){returns}"
    return f"```python\n{code}\n```"


def arguments_of(arguments: ast.arguments) -> list[str]:
    """Arguments one by one, each with its type and default."""
    parts, depth, start = [], 0, 0
    text = ast.unparse(arguments)
    for i, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()]


def prose(docstring: str | None) -> str:
    """A docstring as Markdown: its sections are lists."""
    if not docstring:
        return ""
    text, *rest = SECTIONS.split(docstring)
    parts = [plain(text)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"*{title}*\n")
        parts.append(listed(body))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def listed(body: str) -> str:
    """Entries of a section, each with the lines that go on with it, and what stands below them."""
    lines = body.strip("\n").split("\n")
    inside = [line for line in lines if line.startswith("    ") or not line.strip()]
    below = "\n".join(lines[len(inside) :])
    entries: list[str] = []
    for line in textwrap.dedent("\n".join(inside)).split("\n"):
        if line.startswith(" ") and entries:
            entries[-1] += " " + line.strip()
        elif line.strip():
            entries.append(line.strip())
    return "\n".join(f"- {escaped(entry)}" for entry in entries) + f"\n\n{plain(below)}"


def plain(text: str) -> str:
    """Paragraphs of a docstring; indented ones are code, as in Markdown."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return (
        "\n\n".join(
            one if one.startswith("    ") else escaped(textwrap.dedent(one)) for one in paragraphs
        )
        + "\n"
    )


def escaped(text: str) -> str:
    """Text in which Markdown sees no link, emphasis or tag outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([*_<>\[\]#|$])", r"\\\1", part)
        for part in parts
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/site/prepare.py OUT")
    prepare(Path(sys.argv[1]))
