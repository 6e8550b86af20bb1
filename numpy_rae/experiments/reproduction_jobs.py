"""The jobs of `reproduce`: the runs of each figure on each data set, and the files of their records."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from numpy_rae import _validation
from numpy_rae.data.data_spec import DataRef, DataSpec
from numpy_rae.experiments import command_line, figure_script, parts, protocol_data, record_checks
from numpy_rae.experiments.protocol import FIGURES, PROTOCOLS, Preset, Protocol
from numpy_rae.experiments.run import Run, deduplicate
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES


@dataclass(frozen=True)
class Job:
    """One figure on one data set.

    Attributes
    ----------
    protocol : Protocol
        The figure.
    preset : Preset
        Its size.
    runs : dict of str to Run
        Its runs by hash.
    results : Path
        Its results file.
    """

    protocol: Protocol
    preset: Preset
    runs: dict[str, Run]
    results: Path


def names_of(figures: Iterable[str]) -> list[str]:
    """Return the names of the protocols of figures, in the paper's order and without duplicates.

    Parameters
    ----------
    figures : iterable of str
        Keys of `protocol.FIGURES`, and names of single protocols.

    Returns
    -------
    list of str
        Names in `protocol.PROTOCOLS`.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    known = {protocol.name: group for group, protocols in FIGURES.items() for protocol in protocols}
    asked = {_validation.one_of("--figures", name, [*FIGURES, *known]) for name in figures}
    return [name for name, group in known.items() if asked & {name, group}]


def script_options(protocol: Protocol, args: argparse.Namespace) -> argparse.Namespace:
    """Return the options with which the script of the figure would do the same runs.

    Parameters
    ----------
    protocol : Protocol
        The figure.
    args : argparse.Namespace
        The command's options.

    Returns
    -------
    argparse.Namespace
        The script's options.
    """
    options = command_line.parser(protocol).parse_args(["--preset", args.preset])
    for name in ("seeds", "sigma2", "workers", "save_every", "scheduler", "images"):
        setattr(options, name, getattr(args, name))
    return options


def results_path(args: argparse.Namespace, name: str) -> Path:
    """Return the results file of a figure. It is also the file that the script of the figure uses.

    Parameters
    ----------
    args : argparse.Namespace
        The command's options.
    name : str
        A name in `protocol.PROTOCOLS`.

    Returns
    -------
    pathlib.Path
        <out>/<name>-<preset>.jsonl.
    """
    out: Path = args.out
    return out / f"{name}-{args.preset}.jsonl"


def make_jobs(args: argparse.Namespace, names: Iterable[str]) -> list[Job]:
    """Return the jobs of all figures. The matrix of each data set is prepared only once.

    Parameters
    ----------
    args : argparse.Namespace
        The command's options.
    names : iterable of str
        Names in `protocol.PROTOCOLS`.

    Returns
    -------
    list of Job
        One job per name.

    Raises
    ------
    ValueError
        If a results file contains runs with other options.
    DataError
        If the images are missing and cannot be downloaded.
    """
    prepared: dict[DataSpec, DataRef] = {}
    jobs = []
    for name in names:
        protocol = PROTOCOLS[name]
        options = script_options(protocol, args)
        preset = figure_script.chosen_preset(protocol, options)
        data = _training_data(protocol, options, preset, prepared)
        configs = figure_script.run_configs(protocol, options, preset)
        activation = ACTIVATIONS[protocol.activation]
        runs = [Run(OBJECTIVES[model], activation, data, config) for config in configs for model in protocol.models]
        jobs.append(Job(protocol, preset, deduplicate(runs), results_path(args, name)))
        for path in (jobs[-1].results, *parts.part_paths(jobs[-1].results)):
            record_checks.refuse_other_configuration(record_checks.load_records(path), runs, path)
    return jobs


def _training_data(
    protocol: Protocol, options: argparse.Namespace, preset: Preset, prepared: dict[DataSpec, DataRef]
) -> DataRef:
    """Return the figure's data. With the preset of the paper, missing data are not replaced by other data."""
    spec = protocol_data.data_spec(protocol.source, preset.samples, options.images)
    if spec not in prepared:
        if options.preset == "paper":
            prepared[spec] = protocol_data.prepared_or_fetched(spec, preset.fetch and spec.source != "images")
        else:
            prepared[spec] = protocol_data.training_data(protocol.source, preset.samples, options.images, preset.fetch)
    return prepared[spec]
