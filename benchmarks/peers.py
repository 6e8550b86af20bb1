"""Define the same training step in PyTorch and JAX, by automatic differentiation, for the comparison in `step.py`."""

from functools import partial

import numpy as np

EPS = 1e-3


def loss(ns, act, slope, model, W, b, x, eps, sigma2):
    """Return J of a model, computed by operations that both frameworks have. `eps` is the scaled noise."""
    a = (x + eps if model == "DAE" else x) @ W.T + b
    h = act(a)
    r = x - h @ W
    J = (r**2).sum() / len(x)
    if model in ("CAE", "mDAE"):
        return J + sigma2 * ((slope(a, h) ** 2).mean(0) * (W**2).sum(1) ** (1 if model == "CAE" else 2)).sum()
    if model == "SAE":
        rho = h.mean(0)
        inside = ns.clip(rho, None, 1 - EPS)
        return J + sigma2 * ns.where(rho < 1 - EPS, -ns.log1p(-inside), -np.log(EPS) + (rho - 1 + EPS) / EPS).sum()
    if model == "eDAE":
        return J - 2 / len(x) * (slope(a, h) * (r @ W.T) * (eps @ W.T)).sum()
    return J


class Torch:
    """Make the step in PyTorch, eager or compiled, on its own copies of the parameters."""

    def __init__(self, model, activation, W, b, x, sigma2, eta, momentum, compiled=False):
        import torch

        self.torch, self.sigma2, self.eta, self.momentum = torch, sigma2, eta, momentum
        self.noisy = model in ("DAE", "eDAE")
        self.W, self.b = (torch.tensor(part, requires_grad=True) for part in (W, b))
        self.velocity = [torch.zeros_like(part) for part in (self.W, self.b)]
        self.x = torch.tensor(x)
        act, slope = {
            "relu": (torch.relu, lambda a, h: (a > 0).to(a.dtype)),
            "sigmoid": (torch.sigmoid, lambda a, h: h * (1 - h)),
        }[activation]
        self.loss = partial(loss, torch, act, slope, model)
        if compiled:
            # Dynamo compiles one function for at most 8 sets of arguments, and then runs it uncompiled.
            torch.compiler.reset()
            self.loss = torch.compile(self.loss)

    def step(self, eps=None):
        torch = self.torch
        if eps is None:
            eps = torch.randn_like(self.x) * self.sigma2**0.5 if self.noisy else None
        elif eps is not None:
            eps = torch.tensor(eps)
        self.loss(self.W, self.b, self.x, eps, self.sigma2).backward()
        with torch.no_grad():
            for part, v in zip((self.W, self.b), self.velocity, strict=True):
                v.mul_(self.momentum).add_(part.grad, alpha=-self.eta)
                part.add_(v)
                part.grad = None
            self.W.div_(torch.linalg.vector_norm(self.W, dim=1, keepdim=True))

    def weights(self):
        return self.W.detach().numpy(), self.b.detach().numpy()


class Jax:
    """Make the step in JAX: all of it under `jit`, which reuses the memory of its arguments (donated buffers)."""

    def __init__(self, model, activation, W, b, x, sigma2, eta, momentum):
        import jax
        import jax.numpy as jnp

        act, slope = {
            "relu": (jax.nn.relu, lambda a, h: (a > 0).astype(a.dtype)),
            "sigmoid": (jax.nn.sigmoid, lambda a, h: h * (1 - h)),
        }[activation]
        gradient = jax.grad(partial(loss, jnp, act, slope, model), argnums=(0, 1))

        def update(state, key, x, eps):
            W, b, v_W, v_b = state
            if eps is None:
                eps = jax.random.normal(key, x.shape, x.dtype) * sigma2**0.5 if model in ("DAE", "eDAE") else 0.0
            g_W, g_b = gradient(W, b, x, eps, sigma2)
            v_W, v_b = momentum * v_W - eta * g_W, momentum * v_b - eta * g_b
            W, b = W + v_W, b + v_b
            return W / jnp.linalg.norm(W, axis=1, keepdims=True), b, v_W, v_b

        self.jax, self.update = jax, jax.jit(update, donate_argnums=0)
        self.x, self.key = jnp.array(x), jax.random.key(0)
        self.state = tuple(map(jnp.array, (W, b, np.zeros_like(W), np.zeros_like(b))))

    def step(self, eps=None):
        self.key, key = self.jax.random.split(self.key)
        self.state = self.update(self.state, key, self.x, eps)
        self.jax.block_until_ready(self.state)

    def weights(self):
        return np.asarray(self.state[0]), np.asarray(self.state[1])
