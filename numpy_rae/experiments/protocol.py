"""The paper's figures as protocols: data, models, constraint, sigma^2 and size of each preset."""

from dataclasses import dataclass

SIGMA2 = (0.0, 0.001, *(round((k / 10) ** 2, 2) for k in range(1, 10)), 1.0)


EMBEDDED = 5000


@dataclass(frozen=True)
class Preset:
    """How much of the protocol is run; `fetch` lets missing images be downloaded."""

    samples: int
    epochs: int
    hidden: int = 1000
    sigma2: tuple[float, ...] = SIGMA2
    fetch: bool = True


PAPER = Preset(50_000, 50)


TINY = Preset(500, 20, hidden=64, sigma2=(0.0, 0.01, 0.25, 1.0), fetch=False)


@dataclass(frozen=True)
class Protocol:
    """One figure, of Fig. 1, Fig. 2, Fig. 3, Fig. 4, Fig. 5, Fn. 4: what is trained, on what, under which constraint.

    `sample` is its short preset, `shows_at` the number of updates below which the effect does not show; with
    `reference`, the other models are compared with that one, seed by seed.
    """

    name: str
    title: str
    source: str
    activation: str
    models: tuple[str, ...]
    constraint: str = "unit"
    sample: Preset = Preset(EMBEDDED, 10)
    shows_at: int = 1000
    reference: str | None = None

    def presets(self) -> dict[str, Preset]:
        """The presets by name."""
        return {"sample": self.sample, "paper": PAPER, "tiny": TINY}
