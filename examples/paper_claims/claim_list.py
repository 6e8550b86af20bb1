"""All claims in the order of the page: place in the paper, words, rule, and the commands of the runs."""

from numpy_rae.experiments.claim_rules import falls, flat, moves
from paper_claims.assumptions import bound, gaussian, in_training, white
from paper_claims.causes import given_back, parts, scaling
from paper_claims.course_of_training import settled, stable
from paper_claims.finding import Claim
from paper_claims.footnotes import resolved, without_offset
from paper_claims.sigma2_curves import curve, same, trends
from paper_claims.silent_units import dead_late, floor, sparser_alive
from paper_claims.stored_runs import RELU_FREE, RELU_UNIT, SIGMOID_FREE, SIGMOID_UNIT, SOFTPLUS_UNIT


def figure(name: str) -> str:
    """The commands of a figure's runs, short and long."""
    return f"`python -m numpy_rae reproduce --preset sample --figures {name}`; long: without `--preset sample`"


CAE_MDAE, DAE_SAE, FOUR = ("CAE", "mDAE"), ("DAE", "SAE"), ("DAE", "CAE", "mDAE", "SAE")
RATES = "other eta and tangent gradient: `python examples/learning_rate.py`"
PARTS = "`python examples/bias_or_weights.py`; sigmoid: `--preset late`; long: `--preset paper`"
NOISE = "`python examples/noise_origin.py --seeds 0 1 2`; patches: `examples/noise_origin_cifar10.py`"
IN_TRAINING = "`python examples/theory_in_training.py`"
CHECKS = "`python examples/protocol_checks.py`"
CLAIMS = (
    Claim("white", "Assumption 1", "The data have mean 0 and covariance I", in_training(white, ("AE",)), "white", IN_TRAINING),
    Claim("residual", "Assumption 1", "The residual is Gaussian and its entries are independent", in_training(gaussian, ("AE", "DAE", "SAE")), "Gaussian", IN_TRAINING),
    Claim("thm2", "Thm 2", "From some iteration on the bound p_j rises", in_training(bound, ("DAE", "SAE")), "rising bound", IN_TRAINING),
    Claim("l1", "Sec. 2.2", "SAE acts like the L1 penalty of sparse coding (ReLU)", same("SAE", "L1", **RELU_UNIT), "same", "`python examples/continuation.py`"),
    Claim("cae_h", "Sec. 2.2", "CAE+H is as sparse as CAE (ReLU)", same("CAE+H", "CAE", **RELU_UNIT), "same", CHECKS),
    Claim("cae_h_softplus", "Sec. 2.2", "CAE+H is as sparse as CAE (softplus)", same("CAE+H", "CAE", **SOFTPLUS_UNIT), "same", CHECKS),
    Claim("fn1", "Fn. 1", "ReLU: CAE is not sparse because its gradient lacks the Dirac", resolved, "kernel", "`python examples/dirac.py`"),
    Claim("fn2", "Fn. 2", "On MNIST the standardisation needs an offset of .1", without_offset, "offset", CHECKS),
    Claim("eta", "Learning rate", "No learning rate of the range makes the plain auto-encoder diverge", stable, "stable", f"{figure('fig1')}; {RATES}"),
    Claim("fig1_flat", "Fig. 1", "ReLU, unit rows: CAE and mDAE do not depend on sigma^2", curve(flat, CAE_MDAE, **RELU_UNIT), "flat", f"{figure('fig1')}; {RATES}"),
    Claim("fn3", "Fn. 3", "ReLU, unit rows: CAE and mDAE are equivalent", same("mDAE", "CAE", **RELU_UNIT), "same", f"{figure('fig1')}; {RATES}"),
    Claim("fig1_falls", "Fig. 1", "ReLU, unit rows: DAE and SAE grow sparser with sigma^2", curve(falls, DAE_SAE, **RELU_UNIT), "falls", f"{figure('fig1')}; {RATES}"),
    Claim("fig1_dead", "Fig. 1", "ReLU, unit rows: units die only once the fraction is near .05", dead_late(DAE_SAE, **RELU_UNIT), "late death", figure("fig1")),
    Claim("fig2_moves", "Fig. 2", "ReLU, free rows: CAE and mDAE depend on sigma^2", curve(moves, CAE_MDAE, **RELU_FREE), "moves", figure("fig2")),
    Claim("fig2_trends", "Fig. 2", "ReLU, free rows: the trends of CAE and mDAE are unpredictable and differ between the data sets", trends(CAE_MDAE, **RELU_FREE), "unpredictable", figure("fig2")),
    Claim("fig2_floor", "Fig. 2", "ReLU, free rows: the fraction does not go below .1", floor, "floor", figure("fig2")),
    Claim("alive", "Sec. 3.1", "ReLU: unit rows reach a higher sparsity before units die", sparser_alive, "alive", figure("fig1 fig2")),
    Claim("bias", "Sec. 3", "The bias gradient, not the weights, makes codes sparse (DAE, SAE)", parts(DAE_SAE, "bias"), "carried", PARTS),
    Claim("bias_contractive", "Sec. 3", "The bias gradient, not the weights, makes codes sparse (CAE, mDAE)", parts(CAE_MDAE, "bias"), "carried", PARTS),
    Claim("fig3", "Fig. 3", "ReLU, unit rows: eDAE, the first-order term alone, grows sparser with sigma^2", curve(falls, ("eDAE",), **RELU_UNIT), "falls", figure("fig3")),
    Claim("first_order", "Sec. 3.1.1", "The first-order term is what makes DAE sparse", given_back("antithetic"), "given back", NOISE),
    Claim("edae_bias", "Sec. 3.1.1", "The first-order term acts through the bias gradient (eDAE)", parts(("eDAE",), "bias"), "carried", PARTS),
    Claim("scaling", "Sec. 3.1.1", "DAE and eDAE act through the mean of the gradient", scaling, "scaling", "`python examples/edae_scaling.py`"),
    Claim("marginal", "Sec. 3.1.1", "Marginalising the noise out loses DAE's sparsity", given_back("expected-DAE+cov"), "given back", NOISE),
    Claim("fig4", "Fig. 4, Fn. 5", "Sigmoid, unit rows: every model grows sparser with sigma^2", curve(falls, FOUR, **SIGMOID_UNIT), "falls", figure("fig4")),
    Claim("fig4_settled", "Fig. 4", "Sigmoid, unit rows: the curves have settled after 50 epochs (not in the paper)", settled, "settled", figure("fig4")),
    Claim("fig4_dead", "Fig. 4", "Sigmoid, unit rows: units die only once the fraction is near .05", dead_late(FOUR, **SIGMOID_UNIT), "late death", figure("fig4")),
    Claim("fn4", "Fn. 4", "Softplus, unit rows: every model grows sparser, as with sigmoid", curve(falls, FOUR, **SOFTPLUS_UNIT), "falls", figure("fn4")),
    Claim("fig5_moves", "Fig. 5", "Sigmoid, free rows: CAE and mDAE depend on sigma^2", curve(moves, CAE_MDAE, **SIGMOID_FREE), "moves", figure("fig5")),
    Claim("fig5_trends", "Fig. 5", "Sigmoid, free rows: the trends of CAE and mDAE are unpredictable and differ between the data sets", trends(CAE_MDAE, **SIGMOID_FREE), "unpredictable", figure("fig5")),
)  # fmt: skip
