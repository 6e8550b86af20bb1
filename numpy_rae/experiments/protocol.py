"""The paper's figures as protocols: data, models, constraint, sigma^2 and size of each preset."""

from dataclasses import dataclass

SIGMA2 = (0.0, 0.001, *(round((k / 10) ** 2, 2) for k in range(1, 10)), 1.0)
# Number of digits that the package contains.
EMBEDDED = 5000


@dataclass(frozen=True)
class Preset:
    """How much of the protocol is run.

    Attributes
    ----------
    samples : int
        Number of samples.
    epochs : int
        Length of the runs.
    hidden : int, optional
        Number of hidden units.
    sigma2 : tuple of float, optional
        The coefficients.
    fetch : bool, optional
        Whether missing images may be downloaded.
    """

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

    Attributes
    ----------
    name : str
        Name of the script.
    title : str
        Title of the picture.
    source : str
        "mnist" or "cifar10".
    activation : str
        Name of the encoder's activation.
    models : tuple of str
        Names of the models.
    constraint : str, optional
        "unit" for rows of W of length 1, "free" for any length.
    sample : Preset, optional
        The short preset.
    shows_at : int, optional
        Number of updates below which the effect does not show.
    reference : str, optional
        Model with which the others are compared, seed by seed.
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
        """Return the presets by name.

        Returns
        -------
        dict
            "sample", "paper" and "tiny".
        """
        return {"sample": self.sample, "paper": PAPER, "tiny": TINY}
