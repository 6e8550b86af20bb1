"""Every command gets generated options and must return 0, or 2 with one sentence on stderr, and never a traceback.

The commands run in this process. Figure scripts stop before the training, after one tiny run with the first
configuration. The other scripts run at their smallest size.
"""

import contextlib
import io
import re
from dataclasses import replace

import example_scripts
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numpy_rae import __main__ as command
from numpy_rae.activations import RELU
from numpy_rae.data import fetch, folders
from numpy_rae.experiments import command_line, figure_script, protocol_data
from numpy_rae.experiments.protocol import Protocol
from numpy_rae.penalties import PENALTIES
from numpy_rae.registry import ACTIVATIONS, OBJECTIVES
from numpy_rae.training import train

FEW = settings(max_examples=10)
X = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)

WORDS = st.sampled_from(["", "x", "CAE", "ReLU", "nan", "-", "--", "é", "a b", "1.5.2", "../x", "/dev/null/x", "%s"])
WHOLE = st.sampled_from(["0", "1", "2", "-1", "1.5", "1e3", "nan", "", "x", "0x10", "1_0", "9" * 30])
FEW_WHOLE = st.sampled_from(["0", "1", "2", "60", "-1", "1.5", "nan", "", "x", "5001"])
REAL = st.sampled_from(["0", "-0", "0.5", "1", "-1", "1e308", "5e-324", "1e400", "nan", "inf", "-inf", "", "x", "1,5"])

MODULES = {path.stem: example_scripts.load(path.stem) for path in sorted(example_scripts.EXAMPLES.glob("*.py"))}
PROTOCOLS = {
    name: value for name, each in MODULES.items() for value in vars(each).values() if isinstance(value, Protocol)
}
DATA_FETCH = example_scripts.load("data_fetch", example_scripts.EXAMPLES.parent)
OTHERS = [name for name in MODULES if name not in PROTOCOLS]


def outcome(main, arguments: list[str]) -> int:
    """Return the exit code. With 0, stderr may hold notices only; with 2 it must hold one sentence."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as end:  # argparse prints the usage and the sentence, or the help
            code = end.code or 0
            assert code == 0 or re.search(r"\A(usage: .*\n)(.*\n)*?.*: error: .+\n\Z", err.getvalue()), err.getvalue()
        else:
            assert code == 0 or err.getvalue().count("\n") == 1, err.getvalue()
    plt.close("all")
    assert code in (0, 2) and "Traceback" not in err.getvalue()
    return code


@st.composite
def some(draw, known: dict, most: int = 3) -> list[str]:
    """Draw a few options with valid and invalid values, and sometimes another word."""
    arguments = []
    for option in draw(st.lists(st.sampled_from(sorted(known)), max_size=most)):
        arguments.append(option)
        if known[option] is not None:
            arguments += draw(st.lists(known[option], min_size=draw(st.sampled_from([1, 1, 1, 0])), max_size=2))
    if draw(st.integers(0, 5)) == 0:
        arguments.insert(draw(st.integers(0, len(arguments))), draw(WORDS))
    return arguments


@pytest.fixture(scope="module", autouse=True)
def quick(tmp_path_factory):
    """Use an empty data folder, no network, no pool and no pictures, and one small run instead of a sweep."""
    folder = tmp_path_factory.mktemp("options")

    def refuse(*arguments, **more):
        raise folders.DataError("No network here.")

    def one_run(protocol, args, runs, stored):
        config = replace(runs[0].config, hidden=min(runs[0].config.hidden, 4), epochs=1)
        train(X, runs[0].model, RELU, config)
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("NUMPY_RAE_DATA", str(folder / "data"))
        patch.setattr(fetch, "fetch_file", refuse)
        patch.setattr(figure_script, "train_and_draw", one_run)
        patch.setattr(figure_script, "save_picture", lambda figure, picture: None)
        patch.setattr(protocol_data, "prepare", prepared(protocol_data.prepare))
        (folder / "file").write_text("")
        yield folder


def prepared(prepare):
    """Prepare each data set once."""
    known = {}

    def once(spec):
        if spec not in known:
            known[spec] = prepare(spec)
        return known[spec]

    return once


PATHS = st.sampled_from(["out", "file", "file/x", "/dev/null", "/proc/none", ".", "o" * 300, "", "~nosuchuser/x"])
FIGURE = {
    "--preset": st.sampled_from(["tiny", "sample", "paper", "huge", ""]),
    "--models": st.sampled_from([*OBJECTIVES, "VAE", "dae", ""]),
    "--seeds": WHOLE,
    "--eta": REAL,
    "--sigma2": REAL,
    "--samples": FEW_WHOLE,
    "--epochs": WHOLE,
    "--hidden": WHOLE,
    "--workers": WHOLE,
    "--scheduler": WORDS,
    "--out": PATHS,
    "--picture": st.sampled_from(["a.png", "a.svg", "a.gif", "", "/dev/null", "/proc/none.pdf"]),
    "--plot-only": None,
    "--save-every": REAL,
    "--report": None,
    "--data-dir": PATHS,
    "--images": PATHS,
    "--help": None,
}


@pytest.mark.parametrize("name", PROTOCOLS)
@FEW
@given(data=st.data())
def test_figure_scripts(name, data):
    """The number of samples is small, unless an option changes it."""
    arguments = ["--preset", "tiny", "--samples", "30", *data.draw(some(FIGURE))]
    outcome(lambda argv: figure_script.main(PROTOCOLS[name], argv), arguments)


def test_every_option_of_the_figure_scripts_is_generated():
    known = {
        option
        for protocol in PROTOCOLS.values()
        for action in command_line.parser(protocol)._actions
        for option in action.option_strings
    }
    assert known - {"-h"} == set(FIGURE)


TEXT = {"--preset": st.sampled_from(["tiny", "paper", "", "x"]), "--help": None}
PICTURE = TEXT | {"--out": PATHS}
TEXT_ONLY = ("certificate_controls", "claims", "gradient_walkthrough")
REPORT = PICTURE | {
    "--model": st.sampled_from(["CAE", "expected-DAE", "KL", "VAE", ""]),
    "--activation": st.sampled_from(["relu", "tanh", "silu", "maxout", ""]),
    "--sigma2": REAL,
    "--seed": WHOLE,
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_script_has_the_option_for_a_picture_if_it_draws_one(name, capsys):
    with pytest.raises(SystemExit):
        MODULES[name].main(["--help"])
    assert ("--picture" in capsys.readouterr().out) == (name not in TEXT_ONLY)


@pytest.mark.parametrize("name", OTHERS)
@settings(max_examples=4)
@given(data=st.data())
def test_the_other_examples(name, data):
    """Scripts that take seconds at their smallest size get an unknown option, so that they stop before they start."""
    known = REPORT if name == "training_report" else TEXT if name in TEXT_ONLY else PICTURE
    arguments = data.draw(some(known))
    slow = name in ("dictionary_recovery", "filters", "theorem_1_condition", "theorem_3_remainder", "bias_gradients",
            "certificate_controls", "certificate_fresh_seeds", "theorem_3_terms", "continuation", "learning_rate", "bias_or_weights",
            "dirac", "edae_scaling", "edae_drift", "activation_level", "claims", "protocol_checks",
            "theory_in_training", "certificate_validation")  # fmt: skip
    outcome(MODULES[name].main, ["--preset", "tiny", *arguments, *["--unknown"] * slow])


CERTIFY = {
    "--activation": st.sampled_from([
        *ACTIVATIONS, "maxout", "topk", "RELU", "softplus(beta=B)", "softplus(beta=0)", "softplus(beta=1e300)",
        "softplus(beta=nan)", "softplus(beta=3)", "softplus(beta=", "", "x",
    ]),
    "--penalty": st.sampled_from([*PENALTIES, "cae", "", "x"]),
    "--json": None,
    "--picture": st.sampled_from(["a.png", "a.pdf", "", "file/a.png", "~nosuchuser/a.png"]),
    "--help": None,
}  # fmt: skip


@given(data=st.data())
def test_the_package_s_command(data):
    """`--table` alone takes a second. Here it always comes with another option and is refused."""
    usual = ["certify", "--activation", "relu", "--penalty", "CAE"]
    table = ["certify", "--table", "--penalty", "CAE"]
    start = data.draw(st.sampled_from([usual, usual, ["certify"], table, [], ["x"]]))
    outcome(command.main, [*start, *data.draw(some(CERTIFY))])


NAMES = st.sampled_from(["mnist", "cifar10", "MNIST", "", "--dir", "x", "--help"])


@given(names=st.lists(NAMES, max_size=3), folder=PATHS)
def test_the_fetch_command(names, folder):
    outcome(DATA_FETCH.main, [*names, "--dir", folder])
    outcome(command.main, ["fetch", *names, "--dir", folder])
