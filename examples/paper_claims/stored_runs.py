"""The stored runs that the claims read, and the settings of the figures."""

from pathlib import Path

from numpy_rae.experiments import claim_rows, study_rows
from numpy_rae.experiments.claim_differences import SETTINGS
from numpy_rae.experiments.protocol import PROTOCOLS
from numpy_rae.storage import jsonl

RECORDS = Path(__file__).resolve().parents[2] / "docs" / "records"
STUDIES = (
    "learning_rate-sample", "learning_rate-paper", "continuation-sample", "bias_or_weights-sample", "bias_or_weights-late",
    "bias_or_weights-paper", "dirac-sample", "edae_scaling-sample", "protocol_checks-sample",
)  # fmt: skip
FILES = (*(f"{name}-{preset}" for preset in ("sample", "paper") for name in PROTOCOLS), *STUDIES)
DATA = ("digits", "patches")
SHORT, LONG = SETTINGS[:2]
RELU_UNIT = {"activation": "relu", "constraint": "unit"}
RELU_FREE = {"activation": "relu", "constraint": "free"}
SIGMOID_UNIT = {"activation": "sigmoid", "constraint": "unit"}
SIGMOID_FREE = {"activation": "sigmoid", "constraint": "free"}
SOFTPLUS_UNIT = {"activation": "softplus", "constraint": "unit"}


class Stored:
    """The stored runs of a folder: all as rows, and those of one study."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows = claim_rows.load_rows(folder, FILES)

    def of(self, name: str) -> list[dict]:
        return claim_rows.load_rows(self.folder, [name])

    def lines(self, name: str) -> list[dict]:
        """The lines of a file that no sweep wrote; none if it does not exist."""
        return jsonl.read(self.folder / f"{name}.jsonl")


def mean(rows: list[dict], name: str) -> float:
    """The mean of a column over the seeds."""
    return float(study_rows.values(rows, name).mean())
