"""What determines the level of the flat curves, the activation fraction of a ReLU auto-encoder without a penalty?

Question. A is the activation fraction, Eq. (14), with m units and n inputs. For x ~ N(0, I), ReLU and unit rows, Stein's
lemma gives m A = n - E[x . (x - y)] for every W and b_e (docs/derivations.md, section 22). The last term is called the
remainder. Where it is 0, A = n / m. If x has the covariance S, then m A = tr(S^-1 E[x y^T]). How large is the remainder
after training, for several n and m? Which assumption fails on digits?

Rule of decision, written before any result.

- The identity holds in a run if its two sides differ by less than 4 standard errors, on samples that training has not
  seen.
- "The level is n / m" holds in a run if the remainder is below 5 % of n.
- "The covariance explains the level" holds on digits if the relative gap between the two sides is smaller with S than
  with S = I, and below 5 %.

On digits S is estimated on the same samples and is singular. So the left side uses only the parts of the rows that are in
the range of S. The control has the W, b_e and S of the digits, but Gaussian samples. Only the assumption of Gaussian data
is different there, and the identity must hold.
"""

import sys
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numpy_rae.activations import RELU
from numpy_rae.autoencoder import Params
from numpy_rae.dae_noise.stein import level_sides
from numpy_rae.data.data_matrix import build
from numpy_rae.data.data_spec import DataSpec
from numpy_rae.experiments import command_line, picture_script, study_rows
from numpy_rae.experiments.command import command
from numpy_rae.objectives import AE
from numpy_rae.plotting.style import BLUE, GREEN, MIDDLE_GREY, SILVER, STYLES, VERMILION, in_default_style, new_figure
from numpy_rae.storage import jsonl
from numpy_rae.train_config import TrainConfig
from numpy_rae.training import train

# n, multiples m / n, training samples, epochs, test samples, seeds; and for digits: samples, units, lengths in epochs.
SIZES = {
    "sample": ((10, 20, 40), (1.5, 2.0, 3.0, 5.0), 5000, 100, 20_000, (0, 1, 2), (5000, 1000, (10, 40))),
    "tiny": ((4, 8), (1.5, 3.0), 200, 5, 1000, (0,), (200, 50, (1, 2))),
}
ETA = 0.005
ERRORS, NEAR = 4.0, 0.05
COLORS = {"S = I": STYLES["CAE"], "S of the samples": STYLES["DAE"], "Gaussian control": STYLES["SAE"]}


class Level(NamedTuple):
    """Hold both sides of the identity (means over the samples), and the standard error of their difference."""

    slopes: float
    products: float
    error: float

    @property
    def distance(self) -> float:
        """Return the difference of the two sides in standard errors."""
        return (self.slopes - self.products) / self.error


def level(params: Params, x: np.ndarray, S: np.ndarray | None = None) -> Level:
    """Compute both sides in float64 on the samples x."""
    params, x = Params(*(part.astype(np.float64) for part in params)), x.astype(np.float64)
    sides = level_sides(params, RELU, x, S)
    error = (sides.slopes - sides.products).std(ddof=1) / len(x) ** 0.5
    return Level(sides.slopes.mean(), sides.products.mean(), error)


def white_run(n: int, m: int, samples: int, epochs: int, test: int, seed: int) -> dict:
    """Train on N(0, I) and evaluate the identity on new samples."""
    rng = np.random.default_rng((seed, n))
    x, new = (rng.standard_normal((N, n)).astype(np.float32) for N in (samples, test))
    trained = train(x, AE, RELU, TrainConfig(seed=seed, hidden=m, epochs=epochs, eta=ETA))
    found = level(trained.params, new)
    return {
        "data": "white", "n": n, "m": m, "seed": seed, "fraction": found.slopes / m, "n_over_m": n / m,
        "remainder": n - found.products, "loss": trained.metrics["loss"], "distance": found.distance,
    }  # fmt: skip


def digits_runs(samples: int, m: int, lengths: tuple[int, ...]) -> list[dict]:
    """Train on digits to each length. Evaluate the identity with S = I, with the samples' S, and on the control."""
    x = build(DataSpec("digits", samples, std_offset=0.1))
    S = np.cov(x.astype(np.float64), rowvar=False, bias=True)
    values, vectors = np.linalg.eigh(S)
    root = vectors * np.sqrt(values.clip(0))
    gaussian = np.random.default_rng(0).standard_normal((samples, len(S))) @ root.T
    found = []
    for epochs in lengths:
        trained = train(x, AE, RELU, TrainConfig(hidden=m, epochs=epochs))
        own, control = level(trained.params, x, S), level(trained.params, gaussian, S)
        found.append({
            "data": "digits", "m": m, "epochs": epochs, "rank": round(float(np.linalg.matrix_rank(S))),
            "m A": m * trained.metrics["activation_fraction"], "slopes": own.slopes,
            "S = I": level(trained.params, x).products, "S of the samples": own.products,
            "control m A": control.slopes, "Gaussian control": control.products, "distance": control.distance,
        })  # fmt: skip
    return found


@command("activation_level")
def main(argv=None):
    args = command_line.picture_parser("activation_level", __doc__).parse_args(argv)
    sizes, multiples, samples, epochs, test, seeds, digits = SIZES[args.preset]
    white = [
        white_run(n, round(k * n), samples, epochs, test, seed) for n in sizes for k in multiples for seed in seeds
    ]
    found = digits_runs(*digits)
    print(white_table(white), digits_table(found), sep="\n\n")
    jsonl.rewrite(args.out / f"activation_level-{args.preset}.jsonl", [*white, *found])
    return picture_script.save(picture(white, found), args, f"activation_level-{args.preset}.png")


def white_table(rows: list[dict]) -> str:
    """Return one line for each run on white data, and the verdicts."""
    lines = [
        (row["n"], row["m"], row["seed"], f"{row['n_over_m']:.4f}", f"{row['fraction']:.4f}",
         f"{row['remainder']:+.4f}", f"{row['remainder'] / row['n']:+.4f}", f"{row['loss']:.2g}",
         f"{row['distance']:+.2f}")
        for row in rows
    ]  # fmt: skip
    head = ("n", "m", "seed", "n/m", "A", "remainder", "remainder / n", "loss", "identity: error in deviations")
    holds = sum(abs(row["distance"]) < ERRORS for row in rows)
    near = sum(abs(row["remainder"]) < NEAR * row["n"] for row in rows)
    return (
        f"x ~ N(0, I), ReLU, unit rows\n{study_rows.text_table(head, lines)}\n"
        f"the identity holds in {holds} of {len(rows)} runs; the level is n / m in {near} of {len(rows)}"
    )


def digits_table(rows: list[dict]) -> str:
    names = (
        "epochs",
        "rank",
        "m A",
        "slopes",
        "S = I",
        "S of the samples",
        "control m A",
        "Gaussian control",
        "distance",
    )
    lines = [[f"{row[name]:.4g}" for name in names] for row in rows]
    verdicts = []
    for row in rows:
        gap = abs(row["S of the samples"] - row["slopes"]) / row["slopes"]
        plain = abs(row["S = I"] - row["m A"]) / row["m A"]
        explains = "explains" if gap < plain and gap < NEAR else "does not explain"
        holds = "holds" if abs(row["distance"]) < ERRORS else "does not hold"
        verdicts.append(
            f"{row['epochs']} epochs: relative gap {plain:.3f} with S = I, {gap:.3f} with the samples' S: the "
            f"covariance {explains} the level; on Gaussian samples of that covariance the identity {holds}"
        )
    return "\n".join([f"digits, {rows[0]['m']} units\n{study_rows.text_table(names, lines)}", *verdicts])


@in_default_style
def picture(white: list[dict], digits: list[dict]) -> Figure:
    """Draw A against n/m (left), the remainder against m/n (middle), and the sides of the identity on digits (right)."""
    figure = new_figure(14, 4.6)
    left, middle, right = figure.subplots(1, 3)
    sizes = sorted({row["n"] for row in white})
    looks = dict(zip(sizes, COLORS.values(), strict=False))
    for n in sizes:
        its, (color, marker) = [row for row in white if row["n"] == n], looks[n]
        style = {"color": color, "marker": marker, "ls": "none", "mfc": "none", "ms": 7, "label": f"n = {n}"}
        left.plot([row["n_over_m"] for row in its], [row["fraction"] for row in its], **style)
        middle.plot([row["m"] / n for row in its], [row["remainder"] / n for row in its], **style)
    end = 1.1 * max(row["n_over_m"] for row in white)
    left.plot([0, end], [0, end], color="black", lw=0.8, label="A = n / m")
    left.set(xlabel="n / m", ylabel="activation fraction A, Eq. (14)", title=r"$x \sim N(0, I)$, unit rows")
    middle.axhline(0, color="black", lw=0.8)
    middle.axvline(2, color=MIDDLE_GREY, lw=1, ls=":", label="m = 2 n")
    middle.set(xlabel="m / n", ylabel=r"remainder $E[x \cdot (x - y)]$ / n", title="what the reconstruction leaves")
    for ax in (left, middle):
        ax.legend(frameon=False)
        ax.grid(alpha=0.25)
    draw_digits(right, digits)
    return figure


def draw_digits(ax: Axes, rows: list[dict]) -> None:
    """Draw both sides of the identity for S = I, the digits' S, and Gaussian samples, at each training length."""
    bars = {"m A": ("m A", "black", ""), "right side, S = I": ("S = I", BLUE, "//"),
            "left side, digits' S": ("slopes", MIDDLE_GREY, ""),
            "right side, digits' S": ("S of the samples", VERMILION, ".."),
            "left side, Gaussian samples": ("control m A", SILVER, ""),
            "right side, Gaussian samples": ("Gaussian control", GREEN, "\\\\")}  # fmt: skip
    width = 0.84 / len(bars)
    for k, (label, (name, color, hatch)) in enumerate(bars.items()):
        x = np.arange(len(rows)) + (k - 2.5) * width
        ax.bar(x, [row[name] for row in rows], width, label=label, color=color, hatch=hatch, edgecolor="white")
    ax.set_xticks(np.arange(len(rows)), [f"{row['epochs']} epochs" for row in rows])
    ax.set(ylabel="sides of the identity", title=f"digits, m = {rows[0]['m']:,}")
    ax.margins(y=0.5)
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper left")


if __name__ == "__main__":
    sys.exit(main())
