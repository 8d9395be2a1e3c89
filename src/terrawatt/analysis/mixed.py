"""A linear model with random intercepts, fitted by restricted maximum likelihood (REML).

    y = X β + Σ Z_k b_k + e,    b_k ~ N(0, σ_k²),    e ~ N(0, σ²)

Each Z_k says which level of a grouping a row belongs to (block, host, …); groupings may be nested or crossed. The fixed
effects are tested with the degrees of freedom of Satterthwaite (F. E. Satterthwaite, Biometrics Bull. 2, 1946; for
several contrasts together as A. H. Fai and P. L. Cornelius, J. Stat. Comput. Simul. 54, 1996): few where an effect
varies between few blocks, many where it varies inside them. statsmodels' MixedLM gives no such degrees of freedom, only
normal quantiles, which claim too much of few blocks; and it inverts a matrix of all rows where groupings are crossed.
It is what the tests compare with.

Only cross-products of the columns go into the iterations, so they do not grow with the number of rows.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from terrawatt.analysis.repetitions import Estimate
from terrawatt.records import Float64Array, Int64Array

_STARTS = (0.5, 2.0)  # standard deviations of the random effects, by that of the residuals
_SAME_DEVIANCE = 1e-6  # a component without which the likelihood is as good is 0


@dataclass(frozen=True, slots=True)
class FTest:
    """An F test that some contrasts are all 0.

    Attributes:
        f: the statistic.
        dof: of the numerator.
        dof_residual: of the denominator.
        p: two-sided.
    """

    f: float
    dof: int
    dof_residual: float
    p: float

    @property
    def partial_eta2(self) -> float:
        """The effect's share of its own variation and the error's together, 0 to 1."""
        return self.f * self.dof / (self.f * self.dof + self.dof_residual)


@dataclass(frozen=True, slots=True, eq=False)
class MixedFit:
    """A fitted model.

    Attributes:
        beta: (p,) fixed effects.
        covariance: (p, p) of them.
        residual: variance of the residuals.
        variances: grouping -> variance of its random intercept; 0 where the fit is singular.
        deviance: -2 log of the restricted likelihood, without its constant.
        has_converged: whether the iterations came to an end.
        gradients: (k, p, p) of the covariance, by the variances that are not 0: the residual's, and the groupings'.
        u2_variances: (k, k) covariance of those variances.
    """

    beta: Float64Array
    covariance: Float64Array
    residual: float
    variances: Mapping[str, float]
    deviance: float
    has_converged: bool
    gradients: Float64Array
    u2_variances: Float64Array

    @property
    def singular(self) -> tuple[str, ...]:
        """The groupings whose variance is estimated as 0."""
        return tuple(name for name, variance in self.variances.items() if variance == 0)

    def contrasts(self, rows: Float64Array) -> Estimate:
        """Linear combinations of the fixed effects, (m, p) -> m estimates, each with its own degrees of freedom."""
        rows = np.atleast_2d(rows)
        variance = np.einsum("ip,pq,iq->i", rows, self.covariance, rows)
        slopes = np.einsum("ip,kpq,iq->ki", rows, self.gradients, rows)
        u2_variance = np.einsum("ki,kl,li->i", slopes, self.u2_variances, slopes)
        with np.errstate(divide="ignore", invalid="ignore"):
            dof = np.where(u2_variance > 0, 2 * variance**2 / u2_variance, np.inf)
        return Estimate(rows @ self.beta, np.sqrt(variance), dof)

    def f_test(self, rows: Float64Array) -> FTest:
        """The test that all of (m, p) contrasts are 0; they must be independent of each other."""
        rows = np.atleast_2d(rows)
        m = len(rows)
        _, directions = np.linalg.eigh(rows @ self.covariance @ rows.T)
        apart = self.contrasts(directions.T @ rows)
        f = float(np.mean(np.square(apart.value / apart.u)))
        dof = _joint_dof(apart.dof)
        return FTest(f, m, dof, float(stats.f.sf(f, m, dof)))


def fit_mixed(y: Float64Array, x: Float64Array, groupings: Mapping[str, Int64Array]) -> MixedFit:
    """Fit the model; without groupings this is ordinary least squares.

    Args:
        y: (n,), with scatter.
        x: (n, p) of full rank, p < n.
        groupings: name -> (n,) which of its levels, from 0, a row belongs to.
    """
    products = _Products.of(y, x, groupings)
    ratios, has_converged = _optimum(products)
    return products.fit(ratios, has_converged)


def _joint_dof(dof: Float64Array) -> float:
    """The denominator of an F of several contrasts from the degrees of freedom of each (Fai and Cornelius 1996)."""
    if len(dof) == 1 or np.ptp(dof) <= 1e-8 * dof.max():
        return float(dof[0])
    if not (dof > 2).all():
        return float(dof.min())
    total = float(np.sum(dof / (dof - 2)))
    return max(2 * total / (total - len(dof)), float(dof.min()))


def _optimum(products: "_Products") -> tuple[Float64Array, bool]:
    """The standard deviations of the random effects, by the residual's, that are the most likely; 0 if as good."""
    k = len(products.names)
    if k == 0:
        return np.zeros(0), True
    found = [
        optimize.minimize(
            lambda ratios: products.deviance(np.abs(ratios)),
            np.full(k, start),
            method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-8, "maxiter": 400 * k},
        )
        for start in _STARTS
    ]
    best = min(found, key=lambda result: float(result.fun))
    ratios, least = np.abs(np.asarray(best.x, dtype=np.float64)), float(best.fun)
    for i in np.argsort(ratios):
        without = np.where(np.arange(k) == i, 0.0, ratios)
        if products.deviance(without) <= least + _SAME_DEVIANCE:
            ratios = without
    return ratios, bool(best.success)


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """The cross-products of the columns X and Z, and of what least squares leave of y.

    Attributes:
        names: of the groupings.
        owner: (q,) the grouping of each column of Z.
        start: (p,) the fixed effects by least squares, from which the others are counted.
        xx: (p, p); xz: (p, q); zz: (q, q); xr: (p,); zr: (q,); rr: of the residuals r.
        n: rows.
    """

    names: tuple[str, ...]
    owner: Int64Array
    start: Float64Array
    xx: Float64Array
    xz: Float64Array
    zz: Float64Array
    xr: Float64Array
    zr: Float64Array
    rr: float
    n: int

    @classmethod
    def of(cls, y: Float64Array, x: Float64Array, groupings: Mapping[str, Int64Array]) -> "_Products":
        start = np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)
        r = y - x @ start
        columns = [np.eye(int(level.max()) + 1)[level] for level in groupings.values()]
        z = np.hstack(columns) if columns else np.zeros((len(y), 0))
        owner = np.repeat(np.arange(len(columns)), [each.shape[1] for each in columns])
        return cls(
            names=tuple(groupings), owner=owner, start=start, xx=x.T @ x, xz=x.T @ z, zz=z.T @ z, xr=x.T @ r,
            zr=z.T @ r, rr=float(r @ r), n=len(y),
        )  # fmt: skip

    def deviance(self, ratios: Float64Array) -> float:
        """-2 log of the restricted likelihood with σ² at its best, without its constant."""
        weighed = self._weighed(ratios)
        dof = self.n - len(self.start)
        return float(weighed.log_v + np.linalg.slogdet(weighed.xx)[1] + dof * math.log(weighed.rss / dof))

    def fit(self, ratios: Float64Array, has_converged: bool) -> MixedFit:
        weighed = self._weighed(ratios)
        dof = self.n - len(self.start)
        residual = weighed.rss / dof
        covariance = np.asarray(residual * np.linalg.inv(weighed.xx), dtype=np.float64)
        variances = residual * ratios**2
        active = np.flatnonzero(ratios > 0)
        gradients, information = self._variance_terms(weighed, residual, covariance, variances, active)
        return MixedFit(
            beta=self.start + weighed.delta,
            covariance=covariance,
            residual=residual,
            variances={name: float(variance) for name, variance in zip(self.names, variances, strict=True)},
            deviance=self.deviance(ratios),
            has_converged=has_converged,
            gradients=gradients,
            u2_variances=np.asarray(np.linalg.inv(information), dtype=np.float64),
        )

    def _variance_terms(
        self,
        weighed: "_Weighed",
        residual: float,
        covariance: Float64Array,
        variances: Float64Array,
        active: Int64Array,
    ) -> tuple[Float64Array, Float64Array]:
        """How the covariance of β changes with each variance, and the expected information of the variances.

        ∂C/∂σ_k² = C XᵀV⁻¹ V_k V⁻¹X C and I_kl = ½ tr(P V_k P V_l), where V_k = Z_k Z_kᵀ. The residual's own terms
        follow from V = σ² I + Σ σ_k² V_k and P V P = P.
        """
        inside = self.zz * weighed.scale  # (q, q)
        solved = np.linalg.solve(weighed.inner, np.hstack([inside.T, (self.xz * weighed.scale).T]))
        q = len(weighed.scale)
        z_v_z, z_v_x = self.zz - inside @ solved[:, :q], self.xz.T - inside @ solved[:, q:]
        z_vx_c = (z_v_x / residual) @ covariance  # (q, p)
        z_p_z = (z_v_z - z_vx_c @ z_v_x.T) / residual  # (q, q): Zᵀ P Z
        of = [np.flatnonzero(self.owner == k) for k in active]
        sizes = variances[active]
        others = [z_vx_c[columns].T @ z_vx_c[columns] for columns in of]
        own = (
            covariance - sum((s * g for s, g in zip(sizes, others, strict=True)), np.zeros_like(covariance))
        ) / residual
        traces = np.array([np.trace(z_p_z[np.ix_(columns, columns)]) for columns in of])
        both = np.array([[np.sum(z_p_z[np.ix_(a, b)] ** 2) for b in of] for a in of]).reshape(len(of), len(of))
        with_own = (traces - both @ sizes) / residual
        p_trace = (self.n - len(self.start) - traces @ sizes) / residual
        own_own = (p_trace - with_own @ sizes) / residual
        information = 0.5 * np.block([[np.full((1, 1), own_own), with_own[None, :]], [with_own[:, None], both]])
        return np.stack([own, *others]), information

    def _weighed(self, ratios: Float64Array) -> "_Weighed":
        """The products with V⁻¹ between, V = I + Σ ratio_k² Z_k Z_kᵀ, by the identity of Woodbury."""
        scale = ratios[self.owner] if len(self.owner) else np.zeros(0)
        inner = np.eye(len(scale)) + scale[:, None] * self.zz * scale
        sides = np.vstack([self.xz, self.zr[None, :]]) * scale  # (p + 1, q)
        p = len(self.start)
        less = sides @ np.linalg.solve(inner, sides.T)
        xx, xr = self.xx - less[:p, :p], self.xr - less[:p, p]
        delta = np.asarray(np.linalg.solve(xx, xr), dtype=np.float64)
        rss = self.rr - float(less[p, p]) - float(xr @ delta)
        return _Weighed(xx, delta, rss, float(np.linalg.slogdet(inner)[1]), scale, inner)


@dataclass(frozen=True, slots=True, eq=False)
class _Weighed:
    """Products with V⁻¹ between them, and what follows.

    Attributes:
        xx: (p, p) XᵀV⁻¹X.
        delta: (p,) the shift of β.
        rss: the weighted residual sum of squares.
        log_v: log|V|.
        scale: (q,) the ratio that belongs to each column of Z.
        inner: (q, q) I + S ZᵀZ S.
    """

    xx: Float64Array
    delta: Float64Array
    rss: float
    log_v: float
    scale: Float64Array
    inner: Float64Array
