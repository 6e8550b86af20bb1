"""The protocols of the paper's figures: data, models, constraint, and the sigma^2 and size of each preset."""

from dataclasses import dataclass

SIGMA2 = (0.0, 0.001, *(round((k / 10) ** 2, 2) for k in range(1, 10)), 1.0)
# Number of images of digits that the package contains.
EMBEDDED = 5000


@dataclass(frozen=True)
class Preset:
    """Size of the runs of a protocol.

    Attributes
    ----------
    samples : int
        Number of samples.
    epochs : int
        Number of epochs of each run.
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
    """The models, data and constraint of one figure: Fig. 1, Fig. 2, Fig. 3, Fig. 4, Fig. 5 or Fn. 4.

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
        Number of updates that are needed before the effect can be seen.
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


PAPER_MODELS = ("DAE", "CAE", "mDAE", "SAE")
NOISE_MODELS = (
    "DAE", "antithetic", "2-copies", "8-copies", "eDAE", "smoothed-mDAE", "expected-DAE", "expected-DAE+cov",
)  # fmt: skip
NOISE = Preset(EMBEDDED, 20, sigma2=(0.0, 0.01, 0.09, 0.25, 1.0))
NOISE_TITLE = "Where DAE's sparsity comes from: ReLU, unit-length rows"


def _pair(
    name: str, title: str, activation: str, models: tuple[str, ...], constraint: str, patches_epochs: int, shows_at: int
) -> list[Protocol]:
    """Return one figure on both data sets. They differ only in the length of the short preset."""
    return [
        Protocol(f"{name}_{source}", title, source, activation, models, constraint, Preset(EMBEDDED, epochs), shows_at)
        for source, epochs in (("mnist", 10), ("cifar10", patches_epochs))
    ]


# The protocols of each figure of the paper: MNIST, then CIFAR-10.
FIGURES: dict[str, list[Protocol]] = {
    "fig1": _pair("fig1_relu", "Fig. 1: ReLU, unit-length rows", "relu", PAPER_MODELS, "unit", 20, 1000),
    "fig2": _pair("fig2_relu_free", "Fig. 2: ReLU, free row lengths", "relu", PAPER_MODELS, "free", 20, 1000),
    "fig3": _pair("fig3_edae", "Fig. 3: eDAE, ReLU, unit-length rows", "relu", ("eDAE",), "unit", 20, 1000),
    "fig4": _pair("fig4_sigmoid", "Fig. 4: sigmoid, unit-length rows", "sigmoid", PAPER_MODELS, "unit", 10, 50_000),
    "fig5": _pair(
        "fig5_sigmoid_free", "Fig. 5: sigmoid, free row lengths", "sigmoid", PAPER_MODELS, "free", 10, 50_000
    ),
    "fn4": _pair("fn4_softplus", "Fn. 4: softplus, unit-length rows", "softplus", PAPER_MODELS, "unit", 10, 1000),
}

_NOISE_ORIGIN = [
    Protocol(name, NOISE_TITLE, source, "relu", NOISE_MODELS, sample=NOISE, reference="DAE")
    for name, source in (("noise_origin", "mnist"), ("noise_origin_cifar10", "cifar10"))
]

# Every protocol by the name of its script and of its results file.
PROTOCOLS = {each.name: each for group in (*FIGURES.values(), _NOISE_ORIGIN) for each in group}
