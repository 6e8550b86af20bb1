"""Make the table of docs/mutation.md from the results of mutmut.

mutmut results --all true | python tests/mutations/table.py
"""

import re
import sys
from collections import Counter

STATUSES = ("killed", "survived", "timeout")
RESULT = re.compile(r"^\s*(numpy_rae\.(\w+)\.\S+): (.+)$", re.MULTILINE)


def table(results: str) -> str:
    """Count mutants by module and return a Markdown table. A mutant that runs into the time limit counts as noticed.

    Raises ValueError if there is no mutant, or if mutmut did not finish testing one.
    """
    found = Counter()
    for name, module, status in RESULT.findall(results):
        if status not in STATUSES:
            raise ValueError(f"{name} is {status!r}; it must be one of {', '.join(STATUSES)}")
        found[module, status] += 1
    if not found:
        raise ValueError("no mutant in the input; it must be the output of `mutmut results --all true`")
    modules = sorted({module for module, _ in found})
    counts = {module: [found[module, status] for status in STATUSES] for module in modules}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    head = "| module | mutants | killed | survived | timeout | noticed |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(row(module, *three) for module, three in counts.items())])


def row(module: str, killed: int, survived: int, timeout: int) -> str:
    total = killed + survived + timeout
    return f"| {module} | {total} | {killed} | {survived} | {timeout} | {1 - survived / total:.1%} |".replace("%", " %")


if __name__ == "__main__":
    print(table(sys.stdin.read()))
