"""Faults that are done to a running figure script from outside, and checks of its state afterwards."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LOST = 1
INTERRUPTED, UNCAUGHT = 130, (-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP)
# Longest time in seconds until the last process is gone, after a sweep was told to end or its parent was killed.
PATIENCE = 60.0


class Broken(Exception):
    """A promise was broken."""


def workers(parent: psutil.Process) -> list[psutil.Process]:
    """Return the worker processes of the pool, without the resource trackers."""
    try:
        return [child for child in parent.children() if "popen_loky" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def send(number: int, processes: list[psutil.Process]) -> None:
    """Send the signal to each process that still exists."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            pass


def one_worker(parent: psutil.Process, rng: random.Random) -> list[psutil.Process]:
    return rng.sample(found, 1) if (found := workers(parent)) else []


Victims = Callable[[psutil.Process, random.Random], list[psutil.Process]]
EVERYBODY: Victims = lambda parent, rng: [parent, *workers(parent)]
PARENT: Victims = lambda parent, rng: [parent]

# Name: (signal, processes that get it, exit code of the parent, or None if the parent continues)
FAULTS: dict[str, tuple[int, Victims, int | None]] = {
    "SIGKILL a worker": (signal.SIGKILL, one_worker, None),
    "SIGTERM a worker": (signal.SIGTERM, one_worker, None),
    "SIGKILL the parent": (signal.SIGKILL, PARENT, -signal.SIGKILL),
    "SIGKILL everybody": (signal.SIGKILL, EVERYBODY, -signal.SIGKILL),
    "SIGTERM the parent": (signal.SIGTERM, PARENT, INTERRUPTED),
    "SIGTERM everybody": (signal.SIGTERM, EVERYBODY, INTERRUPTED),
    "SIGINT everybody": (signal.SIGINT, EVERYBODY, INTERRUPTED),
    "SIGHUP everybody": (signal.SIGHUP, EVERYBODY, INTERRUPTED),
}


@dataclass
class Disturbed:
    """Run a figure script under faults, and start it again after every fault that ends it, until it ends by itself.

    The time from a start or a fault to the next fault is random, up to `pause` seconds. Short times are more frequent.
    """

    script: str
    options: list[str]
    log: Path
    rng: random.Random
    pause: float
    faults: tuple[str, ...] = tuple(FAULTS)
    done: Counter = field(default_factory=Counter)
    starts: int = 0

    def run(self, look: Callable[[psutil.Process], None] = lambda parent: None, until: float = float("inf")) -> None:
        """Start the script, disturb it, and start it again.

        After the time `until`, no more faults are done. Raises Broken.
        """
        # A shell starts background jobs with interrupts ignored. The script would inherit this.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        while True:
            with open(self.log, "ab") as log:
                command = [sys.executable, str(EXAMPLES / f"{self.script}.py"), *self.options]
                child = psutil.Popen(command, stdout=log, stderr=log, start_new_session=True)
            self.starts += 1
            if self.disturb(child, look, until) is None:
                return

    def disturb(self, child: psutil.Popen, look, until: float) -> int | None:
        """Do faults at random times until the script has ended.

        Return its exit code, or None if it ended by itself with code 0.
        """
        for moment in self.moments():
            while time.monotonic() < moment and child.poll() is None:
                look(child)
                time.sleep(min(0.5, max(0.0, moment - time.monotonic())))
            if (code := child.poll()) is not None:
                self.ended(child, 0)
                return code or None
            if time.monotonic() > until:
                continue
            name = self.rng.choice(self.faults)
            number, victims, code = FAULTS[name]
            chosen, family = victims(child, self.rng), workers(child)
            send(number, chosen)
            self.done[name] += bool(chosen)
            if code is not None:
                self.ended(child, code, family)
                return code
        return None

    def moments(self) -> Iterator[float]:
        while True:
            yield time.monotonic() + self.pause * self.rng.random() ** 2

    def ended(self, child: psutil.Popen, code: int, family: list[psutil.Process] = ()) -> None:
        """Wait for the end of the script and its workers.

        Raises Broken if a process stays or the exit code is wrong.
        """
        try:
            found = child.wait(PATIENCE)
        except psutil.TimeoutExpired:
            raise Broken(f"still there {PATIENCE:g} s after it should have ended") from None
        _, alive = psutil.wait_procs(family, PATIENCE)
        if alive:
            raise Broken(f"workers {[process.pid for process in alive]} stay behind")
        # Other codes are possible. The script can end just before the fault (0), or get a signal before it starts to
        # catch signals. It ends with LOST if the faults hit the workers of one run too often.
        if found not in (code, 0, LOST) and not (code == INTERRUPTED and found in UNCAUGHT):
            raise Broken(f"exit code {found}, not {code}; see {self.log}")


def undisturbed(script: str, options: list[str]) -> None:
    """Run the script without faults. Raises CalledProcessError."""
    command = [sys.executable, str(EXAMPLES / f"{script}.py"), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
