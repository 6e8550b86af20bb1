"""All lines of one training step, in sections, for every objective of the registry."""

from typing import cast

import numpy as np

from numpy_rae.dae_noise.noise_variants import Copies, antithetic
from numpy_rae.objectives import Penalised, ae, dae, edae
from numpy_rae.walkthrough import edae as first_order
from numpy_rae.walkthrough.gradients import parameter_lines
from numpy_rae.walkthrough.line import Line
from numpy_rae.walkthrough.one_pass import OnePass, backward_lines, forward_lines
from numpy_rae.walkthrough.penalty import penalty_lines
from numpy_rae.walkthrough.setting import Setting, inputs
from numpy_rae.walkthrough.update import update_lines

Sections = dict[str, list[Line]]


def walk(setting: Setting) -> Sections:
    """Return the lines of one training step by section.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.

    Returns
    -------
    dict of str to list of Line
        The sections "inputs", "forward", "penalty", "backward" and "update", in this order. Sections without lines are
        left out.
    """
    sections = {"inputs": inputs(setting), **_passes(setting), "update": update_lines(setting)}
    return {name: lines for name, lines in sections.items() if lines}


def _passes(setting: Setting) -> Sections:
    """Return the sections between the inputs and the update."""
    objective = setting.model.objective
    if isinstance(objective, Penalised):
        of = OnePass(setting, setting.x, setting.x, objective.penalty)
    elif objective in (ae, dae, antithetic) or isinstance(objective, Copies):
        of = _denoising(setting)
    elif objective is edae and setting.sigma2:
        return {"forward": first_order.forward_lines(setting), "backward": first_order.backward_lines(setting)}
    elif objective is edae:
        of = _denoising(setting)
    else:
        return {"backward": _whole(setting)}
    return {"forward": forward_lines(of), "penalty": penalty_lines(of), "backward": backward_lines(of)}


def _denoising(setting: Setting) -> OnePass:
    """Return the pass of DAE and its variants. x_in can contain several corrupted copies of x."""
    _, gradient = setting.objective(setting.params)
    _, x_in = gradient.factors[0]
    return OnePass(setting, np.tile(setting.x, (len(x_in) // len(setting.x), 1)), x_in)


def _whole(setting: Setting) -> list[Line]:
    """Return J and its two gradients, for an objective that has its own backward pass."""
    J, _ = setting.objective(setting.params)
    name = cast(str, getattr(setting.model.objective, "__name__", setting.model.name))
    return [Line(name, "J", J), *parameter_lines(setting, name, name)]
