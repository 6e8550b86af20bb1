"""Forward and backward pass of every objective that reconstructs x from one input x_in, with or without a penalty."""

from dataclasses import dataclass

from numpy_rae._validation import Array
from numpy_rae.autoencoder import Forward, decode, forward, reconstruction, times_rows
from numpy_rae.penalties import Penalty
from numpy_rae.walkthrough.gradients import derivative_lines, parameter_lines
from numpy_rae.walkthrough.line import Line
from numpy_rae.walkthrough.setting import Setting


@dataclass(frozen=True)
class OnePass:
    """Give J as a function of y, of h or of a. All values that are computed before this argument stay fixed.

    Attributes
    ----------
    setting : Setting
        Inputs of the step.
    x : ndarray, shape (N, n)
        Target of the reconstruction.
    x_in : ndarray, shape (N, n)
        Input of the encoder.
    penalty : Penalty or None
        The regulariser R.
    """

    setting: Setting
    x: Array
    x_in: Array
    penalty: Penalty | None = None

    @property
    def order(self) -> int:
        """Return the number of derivatives of s_e that the pass needs.

        Returns
        -------
        int
            1, 2 or 3.
        """
        return self.penalty.order if self.penalty else 1

    @property
    def fwd(self) -> Forward:
        """Return the forward pass.

        Returns
        -------
        Forward
            The pass.
        """
        return forward(self.setting.params, self.setting.activation, self.x_in, self.order)

    def J(self, fwd: Forward) -> float:
        """Compute the objective from a forward pass.

        Parameters
        ----------
        fwd : Forward
            Forward pass.

        Returns
        -------
        float
            J_AE + lam R.
        """
        J_AE, _ = reconstruction(fwd.y, self.x)
        if self.penalty is None:
            return J_AE
        params, activation, rng = self.setting.params, self.setting.activation, self.setting.rng()
        return J_AE + self.setting.sigma2 * self.penalty.value_and_grad(params, activation, fwd, rng)[0]

    def of_y(self, y: Array) -> float:
        """Compute J for another reconstruction.

        Parameters
        ----------
        y : ndarray, shape (N, n)
            Reconstruction.

        Returns
        -------
        float
            J.
        """
        fwd = self.fwd
        return self.J(Forward(fwd.x, fwd.a, fwd.jet, y))

    def of_h(self, h: Array) -> float:
        """Compute J for other codes.

        Parameters
        ----------
        h : ndarray, shape (N, m)
            Codes.

        Returns
        -------
        float
            J.
        """
        return self.of_y(decode(self.setting.params.W, h))

    def of_a(self, a: Array) -> float:
        """Compute J for other pre-activations.

        Parameters
        ----------
        a : ndarray, shape (N, m)
            Pre-activations.

        Returns
        -------
        float
            J.
        """
        jet = self.setting.activation(a, self.order)
        return self.J(Forward(self.x_in, a, jet, decode(self.setting.params.W, jet.h)))


def forward_lines(of: OnePass) -> list[Line]:
    """Return the lines of the forward pass, with the derivatives of the activation and the loss.

    Parameters
    ----------
    of : OnePass
        The pass.

    Returns
    -------
    list of Line
        The lines.
    """
    fwd = of.fwd
    J_AE, _ = reconstruction(fwd.y, of.x)
    return [
        Line("input", "x_in", of.x_in),
        Line("forward (a)", "a = W x_in + b_e", fwd.a),
        Line("forward (b)", "h = s_e(a)", fwd.jet.h),
        *derivative_lines(of.setting, fwd.a, of.order),
        Line("forward (c)", "y = W^T h", fwd.y),
        Line("autoencoder (a)", "r = x - y", of.x - fwd.y),
        Line("autoencoder (b)", "J_AE = mean of |r|^2", J_AE),
    ]


def backward_lines(of: OnePass) -> list[Line]:
    """Return the lines of the backward pass.

    Parameters
    ----------
    of : OnePass
        The pass.

    Returns
    -------
    list of Line
        J and its gradients.
    """
    params, fwd = of.setting.params, of.fwd
    J, gradient = of.setting.objective(params)
    (g_a, _), (_, g_y), *_ = gradient.factors
    g_h = times_rows(params.W, g_y)
    return [
        Line("objective", "J = J_AE + lam R" if of.penalty else "J = J_AE", J),
        Line("autoencoder (b)", "g_y = dJ/dy", g_y, of.of_y, fwd.y),
        Line("autoencoder (c)", "g_h = g_y W^T", g_h, of.of_h, fwd.jet.h),
        Line("autoencoder (d)", "g_a = g_h h' + lam dR/da" if of.penalty else "g_a = g_h h'", g_a, of.of_a, fwd.a),
        *parameter_lines(of.setting, "autoencoder (e)", "autoencoder (f)"),
    ]
