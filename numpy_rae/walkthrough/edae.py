"""Forward and backward pass of eDAE, whose batch holds the samples and the noise (`objectives.first_order`)."""

from dataclasses import dataclass

import numpy as np

from numpy_rae._validation import Array
from numpy_rae.autoencoder import decode, times_rows
from numpy_rae.walkthrough.gradients import derivative_lines, parameter_lines
from numpy_rae.walkthrough.line import Line
from numpy_rae.walkthrough.setting import Setting


@dataclass(frozen=True)
class FirstOrder:
    """Give J_AE + T as a function of the outputs, of the codes or of the encoder's values.

    Attributes
    ----------
    setting : Setting
        Inputs of the step.
    """

    setting: Setting

    def of_outputs(self, y: Array, q: Array) -> float:
        """Compute J from the reconstruction y and its change q along the noise.

        Parameters
        ----------
        y, q : ndarray, shape (N, n)
            The outputs.

        Returns
        -------
        float
            J.
        """
        r = self.setting.x - y
        return float(np.vdot(r, r - 2 * q)) / len(r)

    def of_codes(self, h: Array, k: Array) -> float:
        """Compute J from the codes h and their change k along the noise.

        Parameters
        ----------
        h, k : ndarray, shape (N, m)
            The codes.

        Returns
        -------
        float
            J.
        """
        W = self.setting.params.W
        return self.of_outputs(decode(W, h), decode(W, k))

    def of_encoder(self, a: Array, v: Array) -> float:
        """Compute J from the pre-activations a and their change v along the noise.

        Parameters
        ----------
        a, v : ndarray, shape (N, m)
            Values of the encoder.

        Returns
        -------
        float
            J.
        """
        jet = self.setting.activation(a, 1)
        return self.of_codes(jet.h, jet.dh_da * v)


def forward_lines(setting: Setting) -> list[Line]:
    """Return the lines of the forward pass of eDAE.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.

    Returns
    -------
    list of Line
        The lines.
    """
    _, ((_, inputs), (codes, _)) = _factors(setting)
    (x, eps), (h, k) = np.split(inputs, 2), np.split(codes, 2)
    W, b_e = setting.params
    a, y, q = times_rows(W, x) + b_e, decode(W, h), decode(W, k)
    return [
        Line("corruption", "eps = sqrt(sigma2) z", eps),
        Line("first_order (a)", "a = W x + b_e", a),
        Line("first_order (a)", "v = W eps", times_rows(W, eps)),
        Line("first_order (b)", "h = s_e(a)", h),
        *derivative_lines(setting, a, 2),
        Line("first_order (b)", "k = h' v", k),
        Line("first_order (c)", "y = W^T h", y),
        Line("first_order (c)", "q = W^T k", q),
        Line("first_order (d)", "r = x - y", x - y),
    ]


def backward_lines(setting: Setting) -> list[Line]:
    """Return the lines of the backward pass of eDAE.

    Parameters
    ----------
    setting : Setting
        Inputs of the step.

    Returns
    -------
    list of Line
        J and its gradients.
    """
    J, ((g_inputs, inputs), (codes, g_outputs)) = _factors(setting)
    (x, eps), (h, k), (g_y, g_q) = (np.split(both, 2) for both in (inputs, codes, g_outputs))
    of, W, (g_a, g_v) = FirstOrder(setting), setting.params.W, np.split(g_inputs, 2)
    a, v, y, q = times_rows(W, x) + setting.params.b_e, times_rows(W, eps), decode(W, h), decode(W, k)
    return [
        Line("first_order (d)", "J = J_AE + T", J),
        Line("first_order (e)", "g_y = -2 (r - q) / N", g_y, lambda y: of.of_outputs(y, q), y),
        Line("first_order (e)", "g_q = -2 r / N", g_q, lambda q: of.of_outputs(y, q), q),
        Line("first_order (f)", "g_h = g_y W^T", times_rows(W, g_y), lambda h: of.of_codes(h, k), h),
        Line("first_order (f)", "g_k = g_q W^T", times_rows(W, g_q), lambda k: of.of_codes(h, k), k),
        Line("first_order (g)", "g_a = g_h h' + g_k h'' v", g_a, lambda a: of.of_encoder(a, v), a),
        Line("first_order (g)", "g_v = g_k h'", g_v, lambda v: of.of_encoder(a, v), v),
        *parameter_lines(setting, "first_order (h)", "first_order (i)"),
    ]


def _factors(setting: Setting) -> tuple[float, tuple[tuple[Array, Array], ...]]:
    """Return J and the two thin factors of dJ/dW: (g_inputs, inputs) and (codes, g_outputs)."""
    J, gradient = setting.objective(setting.params)
    return J, gradient.factors
