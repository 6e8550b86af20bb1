"""Tests without training of the scripts about the origin of DAE's sparsity: designs, rules and pictures."""

import example_scripts
import numpy as np
import pytest

from numpy_rae.autoencoder import Params
from numpy_rae.experiments import study
from numpy_rae.train_config import TrainConfig

dirac, scaling, drift, level = (
    example_scripts.load(name) for name in ("dirac", "edae_scaling", "edae_drift", "activation_level")
)


pytestmark = pytest.mark.usefixtures("close_figures")


def made(config: TrainConfig, model: str, fraction: float, **more) -> dict:
    """Return a row as `study_rows.row` makes it."""
    row = {
        name: getattr(config, name) for name in ("sigma2", "seed", "hidden", "batch_size", "epochs", "eta", "momentum")
    }
    usual = {"data": "digits", "dead": 0.0, "loss": 10.0, "mean_square": 100.0, "broken": False}
    return {**row, "model": model, "fraction": fraction, **usual, **more}


# dirac.py


def dirac_rows(cae: float, kernel: float, seeds=(0, 1, 2)) -> list[dict]:
    """Return fractions of CAE and of every kernel.

    AE equals CAE, and DAE equals the kernels. The seeds differ by .001.
    """
    size, rows = study.Size(0, 100, {"digits": 1, "patches": 1}, ()), []
    for data in ("digits", "patches"):
        for seed in seeds:
            rows.append(made(study.config(size, data, seed, 0.0), "AE", cae + 0.001 * seed, data=data))
            for lam in dirac.LAMBDAS:
                for name in ("CAE", *(model.name for model in dirac.KERNELS)):
                    fraction = (cae if name == "CAE" else kernel) + 0.001 * seed
                    rows.append(made(study.config(size, data, seed, lam), name, fraction, data=data))
                rows.append(made(study.config(size, data, seed, lam / 2), "DAE", kernel + 0.001 * seed, data=data))
    return rows


def test_dirac_trains_every_model_at_every_lambda_once():
    rows = dirac_rows(0.9, 0.1)
    for data in ("digits", "patches"):
        for lam in dirac.LAMBDAS:
            its = dirac.cells(rows, data, lam)
            assert set(its) == {"AE", "CAE", "DAE", *(model.name for model in dirac.KERNELS)}
            assert all(len(found) == 3 for found in its.values())


def test_dirac_s_objective_is_in_units_of_the_dead_code():
    rows = [made(TrainConfig(0.5, hidden=40), "CAE", 0.25)]
    np.testing.assert_allclose(dirac.objectives(rows, 0.5), (10 + 0.5 * 40 * 0.25) / 100)
    dead = [made(TrainConfig(0.5, hidden=40), "CAE", 0.0, loss=100.0)]
    np.testing.assert_array_equal(dirac.objectives(dead, 0.5), 1)


def test_dirac_s_rule_counts_what_is_above_by_three_deviations():
    assert dirac.above(np.array([1.0, 1.1]), np.array([0.5, 0.6])) and not dirac.above(np.zeros(2), np.zeros(2))
    assert not dirac.above(np.array([1.0, 1.1]), np.array([0.8, 1.0])) and not dirac.above(np.array([]), np.ones(2))
    count = len(dirac.KERNELS)
    clear = [line.split("|")[1:-1] for line in dirac.decision(dirac_rows(0.97, 0.1)).splitlines()[2:-1]]
    assert all([int(cell) for cell in line[3:]] == [count, count] for line in clear)
    assert {(float(line[1]), line[2].strip()) for line in clear} == {(0.04, "no"), (0.25, "no"), (1.0, "yes")}
    same = [line.split("|")[1:-1] for line in dirac.decision(dirac_rows(0.5, 0.5)).splitlines()[2:-1]]
    assert all([int(cell) for cell in line[3:]] == [0, 0] for line in same)


def test_dirac_s_difference_is_a_count():
    a = np.array([[-0.2, 0.0], [-0.05, 0.0], [0.05, 0.3], [0.4, 5.0]])
    np.testing.assert_allclose(dirac.difference(a, 0.1), [2 / 4 / 0.2, 2 / 4 / 0.2])


def test_dirac_shows_the_density_where_the_batch_gradient_is_zero():
    _b, exact, seen, batch = dirac.population().T
    error = np.sqrt(exact / (2 * dirac.STEP * dirac.DRAWS))
    # The difference estimates a density over a width of 2 STEP. Its bias is below STEP^2 / 6 times the largest
    # curvature, 0.4.
    assert (abs(seen - exact) < 5.3 * error + dirac.STEP**2 / 6 * 0.4).all() and not batch.any() and (exact > 0).all()


def test_dirac_draws_a_column_for_each_data_set():
    rows = dirac_rows(0.9, 0.1)
    axes = dirac.picture(rows).axes
    assert len(axes) == 6
    lines = {line.get_label(): line for line in axes[1].get_lines()}
    np.testing.assert_array_equal(lines[r"$\lambda$ = 1, kernel"].get_xdata(), dirac.BANDWIDTHS)
    np.testing.assert_allclose(lines[r"$\lambda$ = 1, kernel"].get_ydata(), 0.101)
    assert "CAE-kernel-0.3" in dirac.table(rows)


# edae_scaling.py


def scaling_rows(fall, seeds=(0, 1)) -> list[dict]:
    """Return rows. The plain fraction is .7, and the others are lower by `fall(kind, setting)`."""
    size, rows = scaling.SIZES["sample"], {}
    for seed in seeds:
        for setting in scaling.settings():
            plain = scaling.config(size, seed, setting, 0.0)
            rows[plain, "AE"] = made(plain, "AE", 0.7)
            for kind in ("eDAE", "DAE"):
                config, name = (
                    scaling.config(size, seed, setting, setting["sigma2"]),
                    scaling.model(kind, setting["copies"]).name,
                )
                rows[config, name] = made(config, name, 0.7 - fall(kind, setting))
    return list(rows.values())


def in_units_of_the_base(setting: dict) -> float:
    return scaling.product(setting) / scaling.product(scaling.BASE)


def test_every_setting_has_the_same_eta_times_updates_and_the_same_effective_eta():
    for size in scaling.SIZES.values():
        for setting in scaling.settings():
            config = scaling.config(size, 0, setting, 1.0)
            updates = config.epochs * -(-size.samples // config.batch_size)
            effective = config.eta / (1 - config.momentum)
            assert effective * updates == pytest.approx(0.01 * size.epochs["digits"] * size.samples / 50, rel=1e-12)
            assert effective == pytest.approx(setting["eta"] / 0.1)


def test_product_of_equal_settings_is_equal():
    quarter, copies = {**scaling.BASE, "eta": 0.00025}, {**scaling.BASE, "copies": 4}
    batch = {**scaling.BASE, "batch_size": 200}
    assert scaling.product(quarter) == pytest.approx(scaling.product(copies)) == pytest.approx(scaling.product(batch))


@pytest.mark.parametrize("power", [1.0, 0.6])
def test_exponents_of_a_power_of_the_product_are_found(power):
    rows = scaling_rows(lambda kind, s: 0.3 * in_units_of_the_base(s) ** power if kind == "eDAE" else 0.4 * s["sigma2"])
    for name, (value, error) in scaling.exponents(rows).items():
        assert value == pytest.approx(power * scaling.SIGNS[name], abs=1e-6) and error < 1e-6
    said = scaling.decision(rows)
    assert ("proportional to P" if power == 1 else "a power of P") in said
    assert "1.000 to 1.000; the rule says: independent" in said


def test_a_fall_that_ignores_the_batch_is_not_by_p_alone():
    rows = scaling_rows(lambda kind, s: 0.1 * s["sigma2"] * s["eta"] / 0.001)
    said = scaling.decision(rows)
    assert "not by P alone" in said and "not independent" in said


def with_small(rows: list[dict], falls: dict[float, float], seeds=(0, 1), **more) -> list[dict]:
    """Add DAE at the small sigma^2: its fall at each eta. The plain fraction is .7."""
    known = {(row["model"], row["sigma2"], row["eta"], row["seed"]) for row in rows}
    for eta, fall in falls.items():
        for seed in seeds:
            setting = {**scaling.BASE, "sigma2": scaling.SMALL, "eta": eta}
            config = scaling.config(scaling.SIZES["sample"], seed, setting, scaling.SMALL)
            if ("DAE", config.sigma2, eta, seed) not in known:
                rows.append(made(config, "DAE", 0.7 - fall, **more))
    return rows


def test_the_second_part_applies_the_rule_to_dae_at_a_small_variance():
    def said(falls, **more):
        rows = scaling_rows(lambda kind, s: 0.4 if kind == "DAE" else 0.1)
        return scaling.second_part(with_small(rows, falls, **more))

    assert said({}) == ""
    assert said({0.00025: 0.42, 0.002: 0.36}).count("0.900 to 1.050; the rule says: independent of eta") == 1
    assert said({0.00025: 0.42, 0.002: 0.3}).count("0.750 to 1.050; the rule says: not independent of eta") == 1
    broken = said({0.004: 0.3}, broken=True)
    assert "(broken)" in broken and "1.000 to 1.000; the rule says: independent of eta" in broken


def test_a_setting_that_broke_down_counts_in_the_rule_and_is_left_out_beside_it():
    rows = scaling_rows(lambda kind, s: 0.4 if s["eta"] < 0.004 else 0.2)
    for row in rows:
        row["broken"] = row["model"] == "DAE" and row["eta"] == 0.004
    said = scaling.decision(rows)
    assert "0.500 to 1.000; the rule says: not independent" in said
    assert "without the settings in which a run broke down: 1.000 to 1.000" in said
    assert scaling.table(rows).count("(broken)") == 2


def test_scaling_s_table_and_picture_show_every_setting():
    rows = scaling_rows(lambda kind, s: 0.2 * in_units_of_the_base(s) ** 0.5)
    assert len(scaling.table(rows).split("\n\n")[0].splitlines()) == 2 + len(scaling.settings())
    figure = scaling.picture(rows)
    product = next(ax for ax in figure.axes if ax.get_title() == "eDAE, all settings")
    lines = {line.get_label(): line for line in product.get_lines()}
    for name in scaling.VARIED:
        x, y = lines[f"{scaling.LABELS[name]} varied"].get_data()
        expected = 0.2 * (np.array(x) / scaling.product(scaling.BASE)) ** 0.5
        np.testing.assert_allclose(y, expected, rtol=1e-9)


# edae_drift.py and activation_level.py


def test_drift_s_rule():
    found = drift.Measured(np.array([-1.0, -2.0]), np.array([0.1, 0.1]))
    assert drift.decision(np.array([-0.8, -2.2]), found).startswith("the derivation stands")
    assert drift.decision(np.array([-0.5, -2.0]), found).startswith("the derivation does not stand")
    assert "go down" in drift.decision(found.mean, found)
    assert "do not go down" in drift.decision(-found.mean, drift.Measured(-found.mean, found.error))


def test_drift_s_unit_rows_are_unit_rows():
    x = np.random.default_rng(0).standard_normal((20, 3))
    np.testing.assert_allclose(np.linalg.norm(drift.frozen_state(x, 4, 3, True).W, axis=1), 1)


def test_level_of_an_exact_auto_encoder():
    """For the rows +-e_k, A = n / m = 1/2, and the remainder is 0."""
    x = np.random.default_rng(0).standard_normal((500, 3)).astype(np.float32)
    found = level.level(Params(np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32), np.zeros(6, np.float32)), x)
    assert found.slopes == 3 and found.products == pytest.approx((x.astype(float) ** 2).sum(axis=1).mean())


def test_level_script_runs_and_keeps_its_records(tmp_path, capsys):
    assert level.main(["--preset", "tiny", "--out", str(tmp_path)]) == 0
    assert "the identity holds in 4 of 4 runs" in capsys.readouterr().out
    assert len((tmp_path / "activation_level-tiny.jsonl").read_text().splitlines()) == 6
