"""Two directives of the study pages: `study` shows derivation and code side by side, `numbers` a tiny example.

`study` takes the steps from docs/derivations.md and the lines of code from the source, by their letters. `numbers` runs
a training step of the walkthrough. Nothing is copied by hand, so the pages always show the current code and its values.
"""

from typing import ClassVar

import numpy as np
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from lettered_steps import DERIVATIONS, ROOT, code, derivation, faults, sources
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from numpy_rae.objectives import Objective, Penalised
from numpy_rae.penalties import WeightDecay
from numpy_rae.registry import OBJECTIVES, find_activation
from numpy_rae.taylor_penalties import MarginalisedPenalty
from numpy_rae.walkthrough.line import Line, numeric
from numpy_rae.walkthrough.report import cells
from numpy_rae.walkthrough.setting import first_setting
from numpy_rae.walkthrough.update import after, constraint_lines
from numpy_rae.walkthrough.walk import walk

HEAD = ("name and step", "value", "finite difference")
# Two penalties have no entry in the registry.
MODELS = {
    **OBJECTIVES,
    "decay": Objective("decay", Penalised(WeightDecay())),
    "Eq.(10)": Objective("Eq.(10)", Penalised(MarginalisedPenalty(np.array([1.0, 0.5])))),
}


def python(text: str) -> nodes.literal_block:
    """Return a block of Python code."""
    return nodes.literal_block(text, text, language="python")


class Study(SphinxDirective):
    """Show each step of a derivation beside its lines of code. The argument is a dotted name in the package."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        (name,) = self.arguments
        if wrong := faults(name):
            raise self.error("; ".join(wrong))
        self.env.note_dependency(str(DERIVATIONS))
        lines = code(name)
        pairs = [self.pair(step, lines[letter]) for letter, step in derivation(name).items()]
        return [*pairs, *self.whole(name)]

    def pair(self, step: str, lines: list[str]) -> nodes.container:
        """Return one step: its Markdown and its code."""
        left = nodes.container(classes=["study-derivation"])
        self.state.nested_parse(StringList(step.split("\n"), source=str(DERIVATIONS)), 0, left)
        right = nodes.container("", python("\n".join(dict.fromkeys(lines))), classes=["study-code"])
        return nodes.container("", left, right, classes=["study-pair"])

    def whole(self, name: str) -> list[nodes.Node]:
        """Return the whole source, folded."""
        shown: list[nodes.Node] = []
        for source in sources(name):
            self.env.note_dependency(str(source.path))
            summary = f'<details class="study-source"><summary>The whole of {source.name}</summary>'
            shown.append(nodes.raw("", summary, format="html"))
            shown += [python("\n".join(source.lines)), nodes.raw("", "</details>", format="html")]
            # `source_pages` makes a link of a file and a name in code quotes.
            where = f"{source.path.relative_to(ROOT).as_posix()}: {source.name}"
            shown.append(nodes.paragraph("", "Source: ", nodes.literal(where, where)))
        return shown


class Numbers(SphinxDirective):
    """Show values of one training step. The arguments are a model and an activation.

    Options: `sections` are those of the walkthrough; `of` keeps the values whose derivation has one of these names;
    `step` is the number of the training step.
    """

    required_arguments = 2
    option_spec: ClassVar = {"sections": str.split, "of": str.split, "step": directives.positive_int}

    def run(self) -> list[nodes.Node]:
        model, activation = self.arguments
        setting = first_setting(MODELS[model], find_activation(activation))
        for _ in range(self.options.get("step", 1) - 1):
            setting = after(setting)
        sections = {**walk(setting), "constraints": constraint_lines(setting)}
        lines = [line for name in self.options.get("sections", sections) for line in sections[name]]
        wanted = self.options.get("of")
        return [table([row(self, line) for line in lines if not wanted or line.source.split(" ")[0] in wanted])]


def row(directive: Numbers, line: Line) -> nodes.row:
    """Return a row of the table. A gradient that differs from its finite difference is an error of the build."""
    checks = line.checks()
    if not all(check.passed for check in checks):
        raise directive.error(f"{line.name} of {line.source} does not agree with its finite difference")
    name = nodes.paragraph("", "", nodes.literal(line.name, line.name), nodes.Text(f"  {line.source}"))
    values = [block(line.value)] + ([block(numeric(checks, line))] if checks else [])
    return nodes.row("", *(nodes.entry("", content) for content in (name, *values)))


def block(value: object) -> nodes.literal_block:
    """Return an array as text."""
    text = "\n".join(cells(value))
    return nodes.literal_block(text, text, language="none")


def table(rows: list[nodes.row]) -> nodes.table:
    """Return a table of the rows under `HEAD`. Without any difference, the last column is left out."""
    width = max(len(each) for each in rows)
    for each in rows:
        each.extend(nodes.entry("", nodes.paragraph()) for _ in range(width - len(each)))
    head = nodes.thead("", nodes.row("", *(nodes.entry("", nodes.paragraph(text=text)) for text in HEAD[:width])))
    columns = [nodes.colspec(colwidth=100 // width) for _ in range(width)]
    group = nodes.tgroup("", *columns, head, nodes.tbody("", *rows), cols=width)
    return nodes.table("", group, classes=["study-numbers"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_css_file("study_pages.css")
    app.add_directive("study", Study)
    app.add_directive("numbers", Numbers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
