"""Run a long sweep at full load with faults at random times, and record its memory and open files.

    python tests/reliability/soak.py --seconds 3600 --pause 120 -- fig1_relu_mnist --preset paper --out results

This needs `pip install -e ".[faults]"`. A figure script and its options follow `--`. Another `--` starts the next
script. After `--seconds`, no more faults are done and the scripts run to their end. The measurements are appended to
the file `--seen`. `--plot FILE.png` draws them; without a script, it draws an existing file. The exit code is 1 at a
broken promise.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

import matplotlib.pyplot as plt
import psutil
from faults import FAULTS, Broken, Disturbed, workers

from numpy_rae.plotting import style
from numpy_rae.plotting.style import BLUE, VERMILION
from numpy_rae.storage import jsonl

EVERY = 5.0
# Seconds after the start and before the end of a process that are not drawn.
SETTLING = 10


class Look:
    """Store private memory, open files and time of birth of the parent and of each worker, every EVERY seconds."""

    def __init__(self, seen: Path):
        self.seen, self.due = seen, 0.0

    def __call__(self, parent: psutil.Process) -> None:
        if time.monotonic() < self.due:
            return
        self.due = time.monotonic() + EVERY
        for role, processes in (("parent", [parent]), ("worker", workers(parent))):
            for process in processes:
                try:
                    with process.oneshot():
                        born, memory, files = process.create_time(), process.memory_full_info().uss, process.num_fds()
                except psutil.Error:
                    continue
                line = {"time": time.time(), "role": role, "born": born, "MB": memory / 1e6, "files": files}
                jsonl.append(self.seen, line)


def main() -> int:
    own, *scripts = divided(sys.argv[1:])
    args = parser().parse_args(own)
    if scripts:
        soak(args, scripts)
    if args.plot:
        seen = jsonl.read(args.seen)
        print(table(seen))
        style.save_picture(picture(seen), args.plot)
    return 0


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument(
        "--seconds", type=float, default=3600, help="no more faults after this time in seconds (default: 3600)"
    )
    p.add_argument("--pause", type=float, default=120, help="largest time between faults in seconds (default: 120)")
    p.add_argument("--seed", type=int, default=0, metavar="K")
    p.add_argument("--seen", type=Path, default=Path("results/soak.jsonl"), metavar="FILE")
    p.add_argument("--plot", type=Path, metavar="FILE.png")
    return p


def divided(words: list[str]) -> list[list[str]]:
    """Split the words at each "--"."""
    parts = [[]]
    for word in words:
        parts.append([]) if word == "--" else parts[-1].append(word)
    return parts


def soak(args: argparse.Namespace, scripts: list[list[str]]) -> None:
    """Run every script under faults and print the faults that were done. Exit with code 1 at a broken promise."""
    jsonl.check_writable(args.seen)
    begin, rng, look, total, starts = time.monotonic(), random.Random(args.seed), Look(args.seen), Counter(), 0
    for script, *options in scripts:
        sweep = Disturbed(script, options, args.seen.with_suffix(".log"), rng, args.pause)
        try:
            sweep.run(look, begin + args.seconds)
        except Broken as error:
            sys.exit(f"{script}, after {dict(sweep.done)}: {error}")
        total += sweep.done
        starts += sweep.starts
        print(script, json.dumps(sweep.done), f"{sweep.starts} starts, {time.monotonic() - begin:.0f} s", flush=True)
    for name in FAULTS:
        print(f"{name:20} {total[name]:5}")
    print(f"{total.total()} faults, {starts} starts, {time.monotonic() - begin:.0f} s")


def by_process(seen: list[dict]) -> dict[tuple, list[dict]]:
    """Return the measurements of each process, by its role and time of birth."""
    lives = {}
    for entry in seen:
        lives.setdefault((entry["role"], round(entry["born"], 2)), []).append(entry)
    return lives


def table(seen: list[dict]) -> str:
    """Return a Markdown table with the number of processes per role, and the memory of the longest-lived one.

    Its memory is the median of the first and of the last quarter of its life.
    """
    lives = by_process(seen)
    head = "| role | processes | longest life, minutes | first quarter, MB | last quarter, MB | files |"
    lines = [head, "|---|" + "---|" * 5]
    for role in ("parent", "worker"):
        of_role = [entries for (each, _), entries in lives.items() if each == role]
        life = max(of_role, key=len)
        minutes, quarter = (life[-1]["time"] - life[0]["time"]) / 60, len(life) // 4
        first, last = (median(entry["MB"] for entry in part) for part in (life[:quarter], life[-quarter:]))
        files = median(entry["files"] for entry in life)
        lines.append(f"| {role} | {len(of_role)} | {minutes:.1f} | {first:.1f} | {last:.1f} | {files:g} |")
    return "\n".join(lines)


def picture(seen: list[dict]):
    """Draw private memory and open files of every process against time, without the seconds at its start and end."""
    figure, axes = plt.subplots(2, 1, figsize=(7, 5), sharex=True, layout="constrained")
    start, lines = min(entry["time"] for entry in seen), by_process(seen)
    for (role, _), entries in lines.items():
        steady = settled(entries)
        minutes = [(entry["time"] - start) / 60 for entry in steady]
        for ax, key in zip(axes, ("MB", "files"), strict=True):
            ax.plot(minutes, [entry[key] for entry in steady], lw=1, color=BLUE if role == "parent" else VERMILION)
    births = [(entries[0]["time"] - start) / 60 for (role, _), entries in lines.items() if role == "parent"]
    for ax, label in zip(axes, ("private memory, MB", "open files"), strict=True):
        ax.plot(births, [1.03] * len(births), "|", color=BLUE, ms=8, clip_on=False, transform=ax.get_xaxis_transform())
        ax.set_ylabel(label)
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.25)
    for color, mark, label in ((BLUE, "-", "parents"), (VERMILION, "-", "workers"), (BLUE, "|", "start of a parent")):
        axes[0].plot([], [], mark, color=color, label=label)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    axes[1].set_xlabel("minutes")
    figure.suptitle(f"A sweep under faults: {len(lines)} processes in turn\n"
                    f"(not drawn: the first and last {SETTLING} seconds of each)", fontsize=11)  # fmt: skip
    return figure


def settled(entries: list[dict]) -> list[dict]:
    """Return the measurements of a process without its first and last seconds, which are not typical."""
    first, last = entries[0]["time"] + SETTLING, entries[-1]["time"] - SETTLING
    return [entry for entry in entries if first <= entry["time"] <= last]


if __name__ == "__main__":
    sys.exit(main())
