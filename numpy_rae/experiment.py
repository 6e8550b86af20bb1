"""The driver behind every figure script: a protocol in; training, a table and a picture out."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from numpy_rae import fetch, options, records, report, store, validation
from numpy_rae.activations import ACTIVATIONS
from numpy_rae.command import command
from numpy_rae.datasets import DataRef, DataSpec, prepare
from numpy_rae.folders import DataError
from numpy_rae.noise import ALL_MODELS
from numpy_rae.runs import Run
from numpy_rae.training import TrainConfig

SIGMA2 = (0.0, 0.001, *(round((k / 10) ** 2, 2) for k in range(1, 10)), 1.0)
EMBEDDED = 5000
MNIST_STD_OFFSET = 0.1  # Fn. 2


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


def main(protocol: Protocol, argv: Sequence[str] | None = None) -> int:
    """Run a figure script and return its exit code: see `command`."""
    body = command(protocol.name)(lambda: run(protocol, options.parser(protocol).parse_args(argv)))
    return body()


def run(protocol: Protocol, args: argparse.Namespace) -> int:
    """Check everything, train what is missing, draw."""
    preset = chosen_preset(protocol, args)
    configs = run_configs(protocol, args, preset)
    out = args.out / f"{protocol.name}-{args.preset}.jsonl"
    entries = records.of_sweep(out)
    if args.plot_only:
        return report.draw(protocol, args, report.chosen(entries, args), out)
    store.check_writable(out)
    if args.data_dir:
        os.environ["NUMPY_RAE_DATA"] = str(args.data_dir)
    data = training_data(protocol, args, preset)
    runs = [
        Run(ALL_MODELS[model], ACTIVATIONS[protocol.activation], data, config)
        for config in configs
        for model in args.models
    ]
    records.refuse_other_configuration(entries, runs, out)
    return report.train_and_draw(protocol, args, runs, out)


def chosen_preset(protocol: Protocol, args: argparse.Namespace) -> Preset:
    """The preset with what the command line overrides."""
    given = {name: getattr(args, name) for name in ("samples", "epochs", "hidden", "sigma2")}
    preset = protocol.presets()[args.preset]
    return replace(preset, **{name: value for name, value in given.items() if value is not None})


def run_configs(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> list[TrainConfig]:
    """One configuration for every (seed, sigma^2). Raises ValueError for any option outside its range."""
    for model in args.models:
        validation.one_of("--models", model, ALL_MODELS)
    validation.whole("--samples", preset.samples)
    validation.whole("--workers", args.workers)
    validation.number("--save-every", args.save_every, open_low=True)
    if args.report and args.scheduler is not None:
        raise ValueError("--report is given with --scheduler; it needs runs on this machine")
    return [
        TrainConfig(sigma2, seed, preset.hidden, epochs=preset.epochs, eta=args.eta, constraint=protocol.constraint)
        for seed in args.seeds or [0]
        for sigma2 in preset.sigma2
    ]


def training_data(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> DataRef:
    """The protocol's data; what is embedded or shipped instead, with a word on stderr, if they are not to be had."""
    spec = data_spec(protocol, args, preset)
    if spec.source not in ("mnist", "cifar10"):
        return prepare(spec)
    try:
        return prepared_or_fetched(spec, preset.fetch)
    except DataError as error:
        print(f"{error}\n\nGoing on with what is at hand instead.", file=sys.stderr)
    if spec.source == "mnist":
        return prepare(replace(spec, source="digits", count=EMBEDDED))
    return prepare(replace(spec, source="photograph"))


def data_spec(protocol: Protocol, args: argparse.Namespace, preset: Preset) -> DataSpec:
    """What the protocol asks for: up to 5,000 digits are the embedded ones."""
    if protocol.source == "mnist":
        source = "mnist" if preset.samples > EMBEDDED else "digits"
        return DataSpec(source, preset.samples, MNIST_STD_OFFSET)
    if args.images:
        return DataSpec("images", preset.samples, path=str(args.images))
    return DataSpec("cifar10", preset.samples)


def prepared_or_fetched(spec: DataSpec, download: bool) -> DataRef:
    """Prepare from the data folder; download first if the images are missing there and `download` allows it."""
    try:
        return prepare(spec)
    except DataError:
        if not download:
            raise
    fetch.fetch(spec.source)
    return prepare(spec)
