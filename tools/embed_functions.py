"""Put the functions of the template into it, as they are tested (`python -m tools.embed_functions`, `make template`).

CloudFormation takes a template of at most 51 200 bytes that is not in a bucket. Ours holds its two functions, without
what only their readers need (docstrings, comments, blank lines, half of each indentation), so that one file is all that
has to be downloaded.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "mode2-deployment" / "template-mode2.yaml"
_PLACE = re.compile(
    r"^(?P<indent> *)ZipFile: \|  # (?P<name>functions/\w+\.py)\n(?P<code>(?:(?P=indent) +.*\n| *\n)*)", re.MULTILINE
)


def embedded(template: str, folder: Path) -> str:
    """Return a template with the functions that are named in it, from `folder`, in their places."""

    def place(found: re.Match[str]) -> str:
        margin = found["indent"] + " "
        code = "".join(f"{margin}{line}\n" for line in bare((folder / found["name"]).read_text()))
        return f"{found['indent']}ZipFile: |  # {found['name']}\n{code}"

    return _PLACE.sub(place, template)


def bare(code: str) -> list[str]:
    """Return the lines of a program that do something."""
    lines = code.splitlines()
    silent = {number for number, line in enumerate(lines, 1) if not line.strip() or line.strip().startswith("#")}
    for node in ast.walk(ast.parse(code)):
        body = getattr(node, "body", [])
        for part in body if isinstance(body, list) and len(body) > 1 else []:
            if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
                silent |= set(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    kept = [line for number, line in enumerate(lines, 1) if number not in silent]
    shorter = [_less_indented(line) for line in kept]
    assert ast.dump(ast.parse("\n".join(shorter))) == ast.dump(ast.parse("\n".join(kept))), "a text of several lines"
    return shorter


def _less_indented(line: str) -> str:
    code = line.lstrip(" ")
    return " " * ((len(line) - len(code)) // 2) + code


def main() -> None:
    """Write the template anew."""
    TEMPLATE.write_text(embedded(TEMPLATE.read_text(), TEMPLATE.parent))


if __name__ == "__main__":
    main()
