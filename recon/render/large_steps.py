"""Large steps in inverse rendering (Nicolet, Jacobson and Jakob 2021): a mesh moved by smooth steps.

Where every vertex follows its own gradient, those at a silhouette run ahead of their neighbours and the surface folds. The
paper optimises u = (I + λL)x in place of the vertices x (equation 8), L the combinatorial Laplacian: a step of u moves x by
the step diffused along the surface twice over, and nothing of the shape is lost. Its second moment is one for all vertices
and axes (section 3.3, "UniformAdam"), or those that nothing pulls would go as far as the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from numpy import ndarray
from torch import Tensor, nn

from recon.render.topology import edges_of

Solve = Callable[[Float64[ndarray, "v c"]], Float64[ndarray, "v c"]]


def combinatorial_laplacian(faces: Int64[Tensor, "f 3"], count: int) -> Any:
    """Degrees on the diagonal less 1 for every edge, as a sparse matrix of `count` vertices."""
    from scipy.sparse import coo_matrix, diags_array

    one, other = edges_of(faces).ends.cpu().numpy().T
    beside = coo_matrix((np.ones(len(one)), (one, other)), (count, count))
    beside = (beside + beside.T).tocsr()
    return (diags_array(np.asarray(beside.sum(1)).ravel()) - beside).tocsr()


def faired(
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    firm: Float[Tensor, " v"],
    strength: float,
    heartbeat: Callable[[], None] = lambda: None,
) -> Float[Tensor, "v 3"]:
    """The mesh without what is finer than a few edges: the least of Σ firm |x − x₀|² + strength Σ |Lx|², implicit fairing
    by the bi-Laplacian (Desbrun et al. 1999, section 2), with what it took away faired too and given back (twicing, Tukey
    1977, chapter 16): an outline shrinks by the square of what it would. On a regular mesh and with firm 1 a wave of n
    edges loses (1 − 1/(1 + strength (59/n²)²))² of its height. firm: above 0, not over many orders of magnitude;
    heartbeat: is called between the iterations of its conjugate gradients."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import cg

    laplacian = combinatorial_laplacian(faces, len(vertices))
    held = firm.detach().double().cpu().numpy()
    system = (diags_array(held) + strength * (laplacian @ laplacian)).tocsr()
    near, start = diags_array(1 / system.diagonal()), vertices.detach().double().cpu().numpy()

    def once(values: Float64[ndarray, "v 3"]) -> Float64[ndarray, "v 3"]:
        parts = [
            cg(system, held * axis, x0=axis, rtol=1e-6, M=near, callback=lambda _: heartbeat()) for axis in values.T
        ]
        return np.stack([found for found, _ in parts], 1)

    fair = once(start)
    return torch.from_numpy(fair + once(start - fair)).to(vertices).contiguous()


def factorised(system: Any) -> Solve:
    """The solver of a symmetric, positive definite system."""
    from scipy.sparse.linalg import splu

    found: Solve = splu(
        system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    ).solve
    return found


class Preconditioner:
    """x from u = (I + λL)x, with gradients. It is factorised once, on the CPU, wherever the mesh lies."""

    def __init__(self, faces: Int64[Tensor, "f 3"], count: int, strength: float) -> None:
        from scipy.sparse import identity

        self.system = (identity(count) + strength * combinatorial_laplacian(faces, count)).tocsc()
        self._solve = factorised(self.system)

    def latent(self, vertices: Float[Tensor, "v c"]) -> Float[Tensor, "v c"]:
        """u of vertices."""
        return torch.from_numpy(self.system @ vertices.detach().double().cpu().numpy()).to(vertices)

    def __call__(self, latent: Float[Tensor, "v c"]) -> Float[Tensor, "v c"]:
        """Vertices of u."""
        found: Tensor = _Solved.apply(latent, self._solve)
        return found


class _Solved(torch.autograd.Function):
    """The solution of a symmetric system, whose gradient is another one of the same system."""

    @staticmethod
    def forward(ctx: Any, right: Tensor, solve: Solve) -> Tensor:
        ctx.solve = solve
        return _solved(solve, right)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _solved(ctx.solve, gradients[0]), None


def _solved(solve: Solve, right: Tensor) -> Tensor:
    return torch.from_numpy(solve(right.detach().double().cpu().numpy())).to(right).contiguous()


class UniformAdam(torch.optim.Optimizer):
    """Adam (Kingma and Ba 2015) whose second moment is the largest one of a parameter's entries where a group says
    `uniform` (Nicolet et al. 2021, section 3.3), each entry's own where not."""

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-15,
        uniform: bool = True,
    ) -> None:
        super().__init__(list(groups), {"lr": lr, "betas": betas, "eps": eps, "uniform": uniform})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step along the gradients; parameters without one stay."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)

    def _move(self, parameter: nn.Parameter, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (first, second) = self.state[parameter], group["betas"]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        count = float(state["step"])
        mean, square = state["mean"] / (1 - first**count), state["square"] / (1 - second**count)
        spread = (square.max() if group["uniform"] else square).sqrt() + group["eps"]
        parameter.sub_(group["lr"] * mean / spread)
