"""`python -m numpy_rae certify ...`, `python -m numpy_rae fetch ...` and `python -m numpy_rae reproduce ...`.

`certify` tells which corollary covers an activation and a penalty, and what it predicts. `fetch` downloads MNIST and
CIFAR-10 and verifies them. `reproduce` trains and draws every figure of the paper.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence

import numpy as np

from numpy_rae import _validation
from numpy_rae.activations import Activation
from numpy_rae.baselines import maxout_left_limit
from numpy_rae.certificates.certificate import Certificate, certify
from numpy_rae.certificates.outside_theory import OUTSIDE, maxout_certificate
from numpy_rae.data import fetch_command
from numpy_rae.experiments import reproduce
from numpy_rae.experiments.command import command
from numpy_rae.experiments.command_line import check_picture, user_path
from numpy_rae.experiments.user_objects import is_reference, load_activation, load_penalty
from numpy_rae.penalties import PENALTIES, Penalty
from numpy_rae.plotting import certificate_picture, style
from numpy_rae.registry import ACTIVATIONS, find_activation, softplus_sharpness

COLUMNS = ("CAE", "mDAE", "SAE", "L1", "KL")
CERTIFY = "Tell which corollary covers an activation and a penalty, and what it predicts."
SHARP = "softplus(beta=B)"
OWN = "or module:name of your own"
PICTURES = "the name must end in .png, .pdf or .svg"
SHOWN = np.linspace(-6, 6, 1201)


@command("numpy_rae")
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        The command line without the program's name. If None, `sys.argv[1:]` is used.

    Returns
    -------
    int
        The exit code, see `experiments.command`.
    """
    args = parser().parse_args(argv)
    code: int = args.command(args)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Returns
    -------
    ArgumentParser
        The options of `certify`, `fetch` and `reproduce`.
    """
    p = argparse.ArgumentParser(prog="python -m numpy_rae", description=__doc__)
    commands = p.add_subparsers(required=True, metavar="COMMAND")
    _add_certify(commands.add_parser("certify", help=CERTIFY, description=CERTIFY))
    fetching = commands.add_parser("fetch", help=fetch_command.DESCRIPTION, description=fetch_command.DESCRIPTION)
    fetching.set_defaults(command=fetch_command.run)
    fetch_command.add_options(fetching)
    reproducing = commands.add_parser("reproduce", help=reproduce.DESCRIPTION, description=reproduce.DESCRIPTION)
    reproduce.add_options(reproducing)
    return p


def _add_certify(certify: argparse.ArgumentParser) -> None:
    """Add the options of `certify`."""
    certify.set_defaults(command=lambda args: _table(args) if args.table else _one(args))
    certify.add_argument("--activation", metavar="NAME", help=f"one of {', '.join(_activation_names())}; {OWN}")
    certify.add_argument("--penalty", metavar="NAME", help=f"one of {', '.join(PENALTIES)}; {OWN}")
    certify.add_argument("--json", action="store_true", help="JSON in place of text")
    text = f"draw h, h', h'' and the signs of dR/db; {PICTURES}"
    certify.add_argument("--picture", type=user_path, metavar="FILE", help=text)
    certify.add_argument("--table", action="store_true", help="every activation with every penalty, as Markdown")


def _one(args: argparse.Namespace) -> int:
    """Print one pair as text or JSON, and draw its picture."""
    for option in ("activation", "penalty"):
        if getattr(args, option) is None:
            raise ValueError(f"{option} is not given; it is needed unless --table is")
    if args.picture:
        check_picture(args.picture)
    penalty = _find_penalty(args.penalty)
    if is_reference(args.activation):
        return _show(args, load_activation("activation", args.activation), penalty)
    name = _known_activation(args.activation)
    if name in OUTSIDE:
        print(json.dumps({"activation": name, "outside": OUTSIDE[name]}) if args.json else _outside(name))
        return _refuse_picture(args, name)
    if name == "maxout":
        _report(args, maxout_certificate(penalty, maxout_left_limit.witness()))
        return _refuse_picture(args, name)
    return _show(args, find_activation(name), penalty)


def _show(args: argparse.Namespace, activation: Activation, penalty: Penalty) -> int:
    """Print the certificate and draw its picture."""
    verdict = certify(activation, penalty)
    _report(args, verdict)
    return _draw(args, activation, verdict)


def _report(args: argparse.Namespace, verdict: Certificate) -> None:
    """Print the certificate as text or JSON."""
    print(json.dumps(verdict.to_dict(), indent=2) if args.json else verdict)


def _find_penalty(name: str) -> Penalty:
    """Return the penalty with this name. Upper and lower case are equal. "module:name" gives a user's penalty."""
    return load_penalty("penalty", name) if is_reference(name) else PENALTIES[_known("penalty", name, PENALTIES)]


def _draw(args: argparse.Namespace, activation: Activation, verdict: Certificate) -> int:
    """Draw the picture of a certificate, if the option is given."""
    if not args.picture:
        return 0
    signs = [(i.low, i.high, i.sign) for i in verdict.signs]
    title = f"{verdict.activation} with {verdict.penalty}: {verdict.prediction}"
    style.save_picture(certificate_picture.certificate(SHOWN, activation(SHOWN, 2), signs, title), args.picture)
    if not args.json:
        print(f"picture: {args.picture}")
    return 0


def _refuse_picture(args: argparse.Namespace, name: str) -> int:
    """Raise ValueError if a picture is asked for that cannot be drawn."""
    if args.picture:
        raise ValueError(f"picture of {name} cannot be drawn: h is no function of one pre-activation with a derivative")
    return 0


def _table(args: argparse.Namespace) -> int:
    """Print the table of all activations and penalties of the package."""
    for option in ("activation", "penalty", "picture"):
        if getattr(args, option) is not None:
            raise ValueError(f"{option} is {str(getattr(args, option))!r}; --table takes none")
    rows = [[certificate(name, penalty) for penalty in COLUMNS] for name in rows_shown()]
    if args.json:
        print(json.dumps([entry.to_dict() for row in rows for entry in row], indent=2))
        return 0
    print(f"| activation | {' | '.join(COLUMNS)} | conditions on s_e that fail |\n|---|{'---|' * (len(COLUMNS) + 1)}")
    for row in rows:
        print(f"| {row[0].activation} | {' | '.join(map(_cell, row))} | {_failures(row[0])} |")
    print()
    for name in OUTSIDE:
        print(f"- {_outside(name)}")
    return 0


def rows_shown() -> list[str]:
    """Return the activations of the table in its order. The sharper forms of softplus follow softplus.

    Returns
    -------
    list of str
        Names of activations, and "maxout".
    """
    names = [name for name in ACTIVATIONS if not name.startswith("softplus")]
    return [*names[:2], "softplus", "softplus(beta=4)", "softplus(beta=16)", *names[2:], "maxout"]


def _cell(verdict: Certificate) -> str:
    """Return one cell of the table: the prediction and its corollary, or that the penalty rejects the activation."""
    note = "refused" if "in_domain" in verdict.failing else verdict.corollary
    return verdict.prediction + ("" if note == "none" else f" ({note})")


def _failures(verdict: Certificate) -> str:
    """Return the conditions on s_e that fail, each with its witness."""
    of_R = ("f_increasing", "in_domain", "q", "p")
    found = [f"{c.asks}: {c.witness}" for c in verdict.conditions if not c.holds and c.name not in of_R]
    return "; ".join(found) or "nothing"


def certificate(activation: str, penalty: str) -> Certificate:
    """Return the certificate of an activation and a penalty, both given by name.

    Parameters
    ----------
    activation : str
        A name in `ACTIVATIONS`, "softplus(beta=B)", or "maxout".
    penalty : str
        A name in `PENALTIES`.

    Returns
    -------
    Certificate
        The prediction and the reasons for it.
    """
    if activation == "maxout":
        return maxout_certificate(PENALTIES[penalty], maxout_left_limit.witness())
    return certify(find_activation(activation), PENALTIES[penalty])


def _outside(name: str) -> str:
    """Return why the theory does not cover an activation."""
    return f"{name} is outside the theory: {OUTSIDE[name]}"


def _activation_names() -> list[str]:
    """Return the names that `certify` accepts."""
    return [*ACTIVATIONS, SHARP, "maxout", *OUTSIDE]


def _known(option: str, name: str, names: Iterable[str]) -> str:
    """Return `name` as the list spells it. Upper and lower case are equal."""
    spelled = {each.casefold(): each for each in names}
    return spelled.get(name.casefold()) or _validation.one_of(option, name, names)


def _known_activation(name: str) -> str:
    """Return the name of an activation as the list spells it. In "softplus(beta=B)", B must be a number."""
    if softplus_sharpness(name.casefold()) is not None:
        return name.casefold()
    if name.casefold() == SHARP.casefold():
        raise ValueError(f"activation is {name!r}; B must be a number")
    return _known("activation", name, _activation_names())


if __name__ == "__main__":
    sys.exit(main())
