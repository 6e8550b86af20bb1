"""Independent formulas: loops over samples and units, valid for complex numbers, without code of the package.

The formulas are analytic in every parameter (no abs, no norm, no conjugate), so complex steps can differentiate them.
"""

import numpy as np
from scipy.special import erf


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def normal(a):
    return (1 + erf(a / 2**0.5)) / 2


def density(a):
    return np.exp(-a * a / 2) / (2 * np.pi) ** 0.5


def silu_curvature(a):
    """The second derivative of a s, s = 1 / (1 + e), e = exp(-a): s' = e / (1 + e)^2, s'' = e (e - 1) / (1 + e)^3."""
    e = np.exp(-a)
    return 2 * e / (1 + e) ** 2 + a * e * (e - 1) / (1 + e) ** 3


JETS = {
    "relu": (lambda a: a * (a.real > 0), lambda a: 1.0 * (a.real > 0), lambda a: 0 * a),
    "sigmoid": (
        sigmoid,
        lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2,
        lambda a: np.exp(-a) * (np.exp(-a) - 1) / (1 + np.exp(-a)) ** 3,
    ),
    "softplus": (lambda a: np.log(1 + np.exp(a)), sigmoid, lambda a: np.exp(-a) / (1 + np.exp(-a)) ** 2),
    "tanh": (np.tanh, lambda a: 1 / np.cosh(a) ** 2, lambda a: -2 * np.sinh(a) / np.cosh(a) ** 3),
    "softplus(beta=4)": (
        lambda a: np.log(1 + np.exp(4 * a)) / 4,
        lambda a: sigmoid(4 * a),
        lambda a: 4 * np.exp(-4 * a) / (1 + np.exp(-4 * a)) ** 2,
    ),
    "elu": (
        lambda a: a * (a.real > 0) + (np.exp(a) - 1) * (a.real <= 0),
        lambda a: 1.0 * (a.real > 0) + np.exp(a) * (a.real <= 0),
        lambda a: np.exp(a) * (a.real <= 0),
    ),
    "gelu": (lambda a: a * normal(a), lambda a: normal(a) + a * density(a), lambda a: (2 - a * a) * density(a)),
    "silu": (
        lambda a: a * sigmoid(a),
        lambda a: sigmoid(a) + a * np.exp(-a) / (1 + np.exp(-a)) ** 2,
        silu_curvature,
    ),
    "leaky_relu": (
        lambda a: a * (a.real > 0) + a / 100 * (a.real <= 0),
        lambda a: 1.0 * (a.real > 0) + 0.01 * (a.real <= 0),
        lambda a: 0 * a,
    ),
    "hard_sigmoid": (
        lambda a: (a + 3) / 6 * ((a.real > -3) & (a.real <= 3)) + 1.0 * (a.real > 3),
        lambda a: 1 / 6 * ((a.real > -3) & (a.real <= 3)),
        lambda a: 0 * a,
    ),
    "squared_relu": (lambda a: a * a * (a.real > 0), lambda a: 2 * a * (a.real > 0), lambda a: 2.0 * (a.real > 0)),
}


AT_MOST_1 = ("sigmoid", "tanh", "hard_sigmoid")


def encode(W, b, x, name, order=0):
    """Return the entry of the jet with index `order` for one sample, unit by unit."""
    return np.array([JETS[name][order](W[j] @ x + b[j]) for j in range(len(b))])


def decode(W, h):
    return sum(h[j] * W[j] for j in range(len(h)))


def squared(vector):
    return sum(entry * entry for entry in vector)


def ae(W, b, x, name):
    return denoising(W, b, x, x, name)


def denoising(W, b, x, x_tilde, name):
    return sum(squared(c - decode(W, encode(W, b, t, name))) for c, t in zip(x, x_tilde, strict=True)) / len(x)


def jacobian(W, b, x, name):
    """Return dh/dx of one sample, the (m, n) matrix."""
    slope = encode(W, b, x, name, order=1)
    return np.array([[slope[j] * W[j, i] for i in range(W.shape[1])] for j in range(len(b))])


def cae(W, b, x, name):
    """Eq. (8): the squared Frobenius norm of the Jacobian, averaged over samples."""
    return sum(squared(jacobian(W, b, c, name).ravel()) for c in x) / len(x)


def power_of_jacobian(W, b, x, name, q, p):
    """Cor. 2. For odd p, complex steps are valid if no row is zero."""
    total = 0
    for c in x:
        slope = encode(W, b, c, name, order=1)
        for j in range(len(b)):
            len2 = squared(W[j])
            total += slope[j] ** q * len2 ** (p // 2) * np.sqrt(len2) ** (p % 2)
    return total / len(x)


def marginalised(W, b, x, name, v):
    """Eq. (10) by its definition: 1/2 sum_i v_i sum_j d2l/dh_j^2 (dh_j/dx_i)^2, with d2l/dh_j^2 = 2 W_j . W_j."""
    total = 0
    for c in x:
        J = jacobian(W, b, c, name)
        for i in range(W.shape[1]):
            total += sum(v[i] * 2 * squared(W[j]) * J[j, i] ** 2 for j in range(len(b))) / 2
    return total / len(x)


def mdae(W, b, x, name):
    return marginalised(W, b, x, name, np.ones(W.shape[1]))


def rho(W, b, x, name):
    return sum(encode(W, b, c, name) for c in x) / len(x)


def extrapolated(f, df, rho, low, high):
    """Return f inside [low, high] and its tangents outside."""
    edge = low if rho.real < low else high if rho.real > high else rho
    return f(edge) + df(edge) * (rho - edge)


def sae(W, b, x, name):
    eps = 1e-3 if name in AT_MOST_1 else 0.1
    return sum(
        extrapolated(lambda p: -np.log(1 - p), lambda p: 1 / (1 - p), r, -np.inf, 1 - eps) for r in rho(W, b, x, name)
    )


def kl(W, b, x, name, target=0.05, eps=1e-3):
    def f(p):
        return target * np.log(target / p) + (1 - target) * np.log((1 - target) / (1 - p))

    def df(p):
        return -target / p + (1 - target) / (1 - p)

    return sum(extrapolated(f, df, r, eps, 1 - eps) for r in rho(W, b, x, name))


def l1(W, b, x, name):
    return sum(rho(W, b, x, name))


def decay(W, b, x, name):
    return squared(W.ravel())


def first_order(W, b, x, eps, name):
    """Sec. 3.1.1: eps . grad_x_tilde ||x - y(x_tilde)||^2 at x_tilde = x, through the whole Jacobian."""
    total = 0
    for c, e in zip(x, eps, strict=True):
        r = c - decode(W, encode(W, b, c, name))
        dy_dx = W.T @ jacobian(W, b, c, name)
        total += e @ (-2 * dy_dx.T @ r)
    return total / len(x)


def cross(W, b, x, name):
    total = 0
    for c in x:
        s = encode(W, b, c, name, order=1)
        m = len(b)
        total += sum(s[j] * s[k] * (W[j] @ W[k]) ** 2 for j in range(m) for k in range(m) if j != k)
    return total / len(x)


def residual_term(W, b, x, name):
    """Eq. (7), last term, with an explicit sum over the input dimensions."""
    total = 0
    for c in x:
        error = decode(W, encode(W, b, c, name)) - c
        curvature = encode(W, b, c, name, order=2)
        total += sum(error @ (W.T @ (curvature * W[:, i] * W[:, i])) for i in range(W.shape[1]))
    return total / len(x)


def hessian_term(W, b, x, eps, name):
    total = 0
    for c, e in zip(x, eps, strict=True):
        total += squared((jacobian(W, b, c, name) - jacobian(W, b, c + e, name)).ravel())
    return total / len(x)


def complex_gradient(f, W, b, step=1e-20):
    """Return (dR/dW, dR/db) of the analytic function f(W, b), by one complex step per parameter."""
    g_W, g_b = np.zeros(W.shape), np.zeros(b.shape)
    for index in np.ndindex(W.shape):
        shifted = W.astype(complex)
        shifted[index] += 1j * step
        g_W[index] = f(shifted, b.astype(complex)).imag / step
    for j in range(len(b)):
        shifted = b.astype(complex)
        shifted[j] += 1j * step
        g_b[j] = f(W.astype(complex), shifted).imag / step
    return g_W, g_b
