"""Add the identity to records of older releases when they are read, if it can be determined.

An older record names its model and its activation. Its hash covers these names and the whole configuration. If the hash
is right and both names belong to the package, the record gets the identity of version 1 of these formulas. A model or
an activation of the user cannot be identified by its name. Such a record is not changed, and it is not used as the
result of any run.
"""

import hashlib
import json
from typing import Any

from numpy_rae.data.data_spec import DataSpec
from numpy_rae.identity.fingerprint import digest
from numpy_rae.identity.run_identity import changed
from numpy_rae.registry import OWN_ACTIVATIONS, OWN_OBJECTIVES
from numpy_rae.train_config import TrainConfig

FIELDS = {"n_continued": "n_extrapolated"}
DESCRIBED = ("model", "activation", "data", "config")
# The fields of the configuration in older releases.
CONFIG = (
    "sigma2", "seed", "hidden", "batch_size", "epochs", "eta", "momentum", "constraint", "radius", "tangent", "dtype",
)  # fmt: skip


def with_identity(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a record of a sweep with its identity and hash.

    Parameters
    ----------
    entry : dict
        A record of this release or an older one.

    Returns
    -------
    dict
        The record with the field names of this release. It has no identity if this cannot be determined.
    """
    entry = _renamed(entry)
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


def _renamed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the record with the field names of this release."""
    return {FIELDS.get(name, name): value for name, value in entry.items()}


def identified(entry: dict[str, Any], identity: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a record with an identity and a hash as its first fields.

    Parameters
    ----------
    entry : dict
        A record.
    identity : dict
        Its identity.
    key : str
        Its hash, which replaces any other.

    Returns
    -------
    dict
        The new record.
    """
    return {"hash": key, "identity": identity, **{name: entry[name] for name in entry if name != "hash"}}


def old_hash(description: dict[str, Any]) -> str:
    """Return the hash of a record as older releases computed it.

    Parameters
    ----------
    description : dict
        The fields DESCRIBED of the record.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
