"""The docstrings are plain text: formulas such as |f| stand as they are, and lettered steps are aligned by spaces.

Before numpydoc reads a docstring, an indented paragraph becomes a literal block, and characters that would be markup
are escaped.
"""

import re

from sphinx.application import Sphinx

SECTION = re.compile(r"^-{3,}$")
FREE_TEXT = {"", "Notes", "Examples", "References"}
# Bars, stars, and a letter that ends with an underscore are markup; text in back quotes is left alone.
MARKUP = re.compile(r"(`+[^`]*`+)|([|*]|(?<=\w)_(?!\w))")


def escape(line: str) -> str:
    """Return a line of prose without accidental markup."""
    return MARKUP.sub(lambda match: match[1] or "\\" + match[2], line)


def sections(lines: list[str]) -> list[str]:
    """Return the name of the section of each line; "" stands for the text before the first one."""
    name, names = "", []
    for number, line in enumerate(lines):
        if number + 1 < len(lines) and SECTION.match(lines[number + 1].strip()) and line.strip():
            name = line.strip()
        names.append(name)
    return names


def plain(lines: list[str]) -> list[str]:
    """Return the lines with literal blocks for the indented paragraphs of free text, and with escaped prose."""
    result: list[str] = []
    inside = False
    for line, section in zip(lines, sections(lines), strict=True):
        indented = section in FREE_TEXT and line.startswith("    ")
        if line.strip():
            # An indented line that follows prose directly continues this prose.
            if indented and not inside and (not result or not result[-1].strip() or SECTION.match(result[-1].strip())):
                result += ["::", ""]
                inside = True
            elif not indented:
                inside = False
        heading = SECTION.match(line.strip())
        result.append(line if inside or heading or line.lstrip().startswith(">>>") else escape(line))
    return result


def process(app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]) -> None:
    """Rewrite one docstring in place."""
    lines[:] = plain(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    # numpydoc reads docstrings at priority 500.
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
