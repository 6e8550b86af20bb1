"""Records made before runs had an identity: they are given theirs when they are read, where that can be known.

Such a record says its model and activation by name, and its hash is of the names and the whole configuration. If the
hash is right and both names are the package's own, the identity is that of the formulas' first version. A model or an
activation of the user's cannot be known from its name; its record stays as it is, and no run is found done by it.
"""

import hashlib
import json

from numpy_rae.data.prepared import DataSpec
from numpy_rae.identity.run_identity import changed, digest
from numpy_rae.registry import OWN_ACTIVATIONS, OWN_OBJECTIVES
from numpy_rae.train_config import TrainConfig

FIELDS = {"n_continued": "n_extrapolated"}
DESCRIBED = ("model", "activation", "data", "config")
# The configuration's fields of that time.
CONFIG = (
    "sigma2", "seed", "hidden", "batch_size", "epochs", "eta", "momentum", "constraint", "radius", "tangent", "dtype",
)  # fmt: skip


def with_identity(entry: dict) -> dict:
    """Return a sweep's record with its identity and hash; without them if it is older and none can be known."""
    entry = renamed(entry)
    described = {name: entry.get(name) for name in DESCRIBED}
    if "identity" in entry or [type(part) for part in described.values()] != [str, str, dict, dict]:
        return entry
    if entry["model"] not in OWN_OBJECTIVES or entry["activation"] not in OWN_ACTIVATIONS:
        return entry
    if entry.get("hash") != old_hash(described):
        return entry
    identity = {
        "model": {"name": entry["model"]},
        "activation": {"name": entry["activation"]},
        "data": changed(entry["data"], DataSpec),
        "config": changed(entry["config"], TrainConfig),
    }
    return identified(entry, identity, digest(identity))


def renamed(entry: dict) -> dict:
    """Return the record with the field names of this release."""
    return {FIELDS.get(name, name): value for name, value in entry.items()}


def identified(entry: dict, identity: dict, key: str) -> dict:
    """Return the record with this identity and hash in front."""
    return {"hash": key, "identity": identity, **{name: entry[name] for name in entry if name != "hash"}}


def old_hash(description: dict) -> str:
    """Return the hash that a description alone gave."""
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
