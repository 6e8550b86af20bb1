"""The text of every fault in `mutations/faults.py` is in the code, and the files in mutmut's section exist.

`mutations/run.py` plants the faults.
"""

import ast
import configparser

import pytest
from many_cases import check_all
from mutations.faults import FAULTS, KNOWN
from mutations.mutmut_copy import ROOT, without_decorator
from mutations.table import table

TESTS = sorted((ROOT / "tests").rglob("*.py"))


def test_no_comparison_stands_alone():
    """A comparison without `assert` tests nothing."""
    alone = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare | ast.BoolOp)
    ]
    assert TESTS and not alone


def fits_the_code_and_compiles(fault):
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    compile(fault.planted(text), fault.file, "exec")
    assert fault.tests and all((ROOT / "tests" / name.split("::")[0]).is_file() for name in fault.tests)


def test_every_fault_fits_the_code_and_compiles():
    check_all(fits_the_code_and_compiles, {fault.name: (fault,) for fault in FAULTS})


def mutmut(option: str) -> list[str]:
    """Return the lines of an option in setup.cfg's section for mutmut."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["mutmut"][option].split()


@pytest.mark.parametrize("option", ["source_paths", "only_mutate", "also_copy", "pytest_add_cli_args_test_selection"])
def test_files_that_mutmut_is_told_exist(option):
    assert mutmut(option) and all(list(ROOT.glob(pattern)) for pattern in mutmut(option))


def test_names_are_unique_and_every_known_fault_is_planted():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert set(KNOWN) <= {fault.of for fault in FAULTS}


@pytest.mark.parametrize("old", ["a text that is nowhere", "np."])
def test_text_that_is_not_there_exactly_once_is_refused(old):
    fault = type(FAULTS[0])("gone", "F1", FAULTS[0].file, old, "", ())
    with pytest.raises(ValueError, match="^gone: .* times in numpy_rae/activations.py, not once"):
        fault.planted((ROOT / fault.file).read_text(encoding="utf-8"))


def test_table_of_results_counts_by_module_and_takes_a_timeout_as_noticed():
    results = """
        numpy_rae.theory.theorem_1.x_audit__mutmut_1: killed
        numpy_rae.theory.theorem_1.x_audit__mutmut_2: survived
        numpy_rae.theory.theorem_1.x_audit__mutmut_3: timeout
        numpy_rae.theory.theorem_1.x_audit__mutmut_4: killed
        numpy_rae.penalties.xǁWeightDecayǁvalue_and_grad__mutmut_1: killed
    """
    assert table(results).splitlines()[2:] == [
        "| penalties | 1 | 1 | 0 | 0 | 100.0 % |",
        "| theory | 4 | 2 | 1 | 1 | 75.0 % |",
        "| all | 5 | 3 | 1 | 1 | 80.0 % |",
    ]


@pytest.mark.parametrize("status", ["not checked", "no tests", "segfault"])
def test_table_of_a_pass_that_is_not_complete_is_refused(status):
    with pytest.raises(
        ValueError, match=f"^numpy_rae.theory.theorem_1.x_f__mutmut_1 is {status!r}; it must be one of killed"
    ):
        table(f"numpy_rae.theory.theorem_1.x_f__mutmut_1: {status}")


def test_table_of_nothing_is_refused():
    with pytest.raises(ValueError, match="^no mutant in the input"):
        table("")


def test_copy_for_mutmut_applies_the_decorator_after_the_function():
    source = """
class Model:
    @_validation.tiny_is_zero
    def value(self):
        return (
            1
        )

    @staticmethod
    @_validation.tiny_is_zero
    def left_as_it_is():
        pass


@_validation.tiny_is_zero
def forward(x):
    return x
"""
    assert (
        without_decorator(source)
        == """
class Model:
    def value(self):
        return (
            1
        )
    value = _validation.tiny_is_zero(value)

    @staticmethod
    @_validation.tiny_is_zero
    def left_as_it_is():
        pass


def forward(x):
    return x
forward = _validation.tiny_is_zero(forward)
"""
    )


def test_in_the_copy_for_mutmut_no_function_of_the_mutated_modules_has_the_decorator():
    """Otherwise mutmut would leave its body as it is."""
    sources = [path.read_text(encoding="utf-8") for pattern in mutmut("only_mutate") for path in ROOT.glob(pattern)]
    assert any("@_validation.tiny_is_zero" in source for source in sources)
    assert not any("@_validation.tiny_is_zero" in without_decorator(source) for source in sources)
