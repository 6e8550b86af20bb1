"""Model files: a saved model is loaded bit for bit, and every other file gives one sentence that names the file."""

import io
import json
import os
import pickle
import re
import zipfile
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rae.activations import PAPER_ACTIVATIONS, RELU, SOFTPLUS
from numpy_rae.autoencoder import Params
from numpy_rae.constraints import CONSTRAINTS
from numpy_rae.objectives import PAPER_OBJECTIVES
from numpy_rae.optimizer import zero_velocity
from numpy_rae.storage import atomic, model_file
from numpy_rae.storage.model_file import ModelFileError, load, save
from numpy_rae.train_config import TrainConfig
from numpy_rae.train_state import RandomStreams, TrainState
from numpy_rae.training import run_epochs, train

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
CONFIG = TrainConfig(sigma2=0.1, hidden=2, dtype="float64")
PARAMS = Params(np.array([[0.1, -0.0, 5e-324], [1e308, -1.0, 2.0]]), np.array([-0.5, 3.0]))


@st.composite
def models(draw):
    """Draw arguments of `save`: all finite floats, both memory orders, and arrays with strides."""
    dtype = draw(st.sampled_from([np.dtype("float32"), np.dtype("float64")]))
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    finite = st.floats(allow_nan=False, allow_infinity=False, width=8 * dtype.itemsize)
    W, b_e = draw(hnp.arrays(dtype, (m, n), elements=finite)), draw(hnp.arrays(dtype, (m,), elements=finite))
    config = TrainConfig(
        sigma2=draw(st.floats(0, 10)), seed=draw(st.integers(0, 2**128)), hidden=m, eta=draw(st.floats(1e-9, 10)),
        constraint=draw(st.sampled_from(list(CONSTRAINTS))), tangent=draw(st.booleans()), dtype=dtype.name,
    )  # fmt: skip
    params = Params(np.array(W, order=draw(st.sampled_from("CF"))), np.repeat(b_e, 2)[::2])
    names = draw(st.sampled_from(list(PAPER_ACTIVATIONS))), config, draw(st.text())
    return params, *names, draw(st.dictionaries(st.text(), JSON))


def assert_equal(saved, params, activation, config, model, notes):
    for one, two in zip(saved.params, params, strict=True):
        assert (one.dtype, one.shape) == (two.dtype, two.shape) and one.tobytes() == two.tobytes()
        assert one.flags.writeable
    assert saved.params.W.flags.f_contiguous == params.W.flags.f_contiguous
    assert (saved.activation, saved.config, saved.model, saved.notes) == (
        PAPER_ACTIVATIONS[activation],
        config,
        model,
        notes,
    )


@given(arguments=models())
def test_what_is_saved_comes_back_to_the_last_bit(tmp_path_factory, arguments):
    path = tmp_path_factory.mktemp("model") / "m"
    save(path, *arguments)
    assert_equal(load(path), *arguments)
    assert os.listdir(path.parent) == ["m"]


def test_what_is_loaded_trains_on_as_the_original_would(tmp_path):
    x = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
    config = TrainConfig(hidden=4, epochs=2)
    trained = train(x, PAPER_OBJECTIVES["CAE"], SOFTPLUS, config)
    save(str(tmp_path / "m.npz"), trained.params, "softplus", config, "CAE", {"metrics": trained.metrics})
    saved = load(str(tmp_path / "m.npz"))
    assert saved.notes["metrics"] == trained.metrics and saved.model == "CAE"
    for params in (saved.params, trained.params):
        state = TrainState(params, zero_velocity(params), RandomStreams(1))
        run_epochs(state, x, PAPER_OBJECTIVES[saved.model], saved.activation, saved.config, epochs=1)
    assert saved.params.W.tobytes() == trained.params.W.tobytes()
    assert np.any(saved.params.W != load(tmp_path / "m.npz").params.W)


@pytest.fixture
def path(tmp_path):
    """Return the path of a small valid file."""
    save(tmp_path / "m.npz", PARAMS, "relu", CONFIG, "CAE", {"made": "é"})
    return tmp_path / "m.npz"


def test_numpy_reads_the_file_without_pickle(path):
    with np.load(path, allow_pickle=False) as file:
        assert set(file) == {"meta", "W", "b_e"}
        np.testing.assert_array_equal(file["W"], PARAMS.W)
        np.testing.assert_array_equal(file["b_e"], PARAMS.b_e)
        assert json.loads(file["meta"].tobytes())["config"] == asdict(CONFIG)


def test_equal_models_give_equal_bytes(path):
    before = path.read_bytes()
    save(path, Params(*(part.copy() for part in PARAMS)), "relu", CONFIG, "CAE", {"made": "é"})
    assert path.read_bytes() == before


def test_numpy_s_numbers_are_kept_as_python_s(path):
    config = replace(CONFIG, sigma2=np.float32(0.1), seed=np.int64(3), hidden=np.int32(2), tangent=np.True_)
    save(path, PARAMS, "relu", config, "CAE", {"loss": np.float32(0.3), "n": np.int8(2)})
    saved = load(path)
    assert saved.config == config and saved.notes == {"loss": float(np.float32(0.3)), "n": 2}
    assert type(saved.config.sigma2) is float and type(saved.config.seed) is int


def test_an_activation_of_one_s_own_is_found_in_the_table_that_is_given(path):
    save(path, PARAMS, "swish", CONFIG, "CAE")
    swish = replace(SOFTPLUS, name="swish")
    assert load(path, {**PAPER_ACTIVATIONS, "swish": swish}).activation is swish
    with refusal(path, "its activation 'swish' is not among relu, .*; give it in `activations`"):
        load(path)
    assert load(path, {"swish": RELU}).activation is RELU


def refusal(path, reason, what="used"):
    """Expect the error with one sentence that names the file and matches `reason`."""
    return pytest.raises(ModelFileError, match=rf"^model file {re.escape(str(path))} cannot be {what}: (?:{reason})\Z")


@pytest.fixture
def survives(path, monkeypatch):
    """Return a function that says whether changed content still loads as the same model.

    If it does not, the error must be the documented one.
    """

    def read(content):
        # The test makes thousands of files, so they stay in memory.
        monkeypatch.setattr(model_file, "open", lambda path, mode: io.BytesIO(content), raising=False)
        try:
            saved = load(path)
        except ModelFileError as error:
            assert str(error).startswith(f"model file {path} cannot be used: ") and "\n" not in str(error)
            return False
        assert_equal(saved, PARAMS, "relu", CONFIG, "CAE", {"made": "é"})
        return True

    return read


def flip(content, bits):
    """Return the bytes with these bits inverted."""
    flipped = np.unpackbits(np.frombuffer(content, np.uint8))
    flipped[bits] ^= 1
    return np.packbits(flipped).tobytes()


def test_every_truncation_is_refused(path, survives):
    content = path.read_bytes()
    assert survives(content)
    assert not any(survives(content[:length]) for length in range(len(content)))


def test_every_single_bit_flip_gives_the_same_model_or_is_refused(path, survives):
    content = path.read_bytes()
    kept = {bit // 8 for bit in range(8 * len(content)) if survives(flip(content, [bit]))}
    # Bits of dates and attributes may change. Bits of members may not.
    with zipfile.ZipFile(path) as zipped:
        stored = [zipped.read(name) for name in zipped.namelist()]
    inside = {content.index(part) + k for part in stored for k in range(len(part))}
    assert kept and not kept & inside


def test_many_bit_flips_give_the_same_model_or_are_refused(path, survives):
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for flips in rng.integers(2, 40, 500):
        survives(flip(content, rng.choice(8 * len(content), flips, replace=False)))


def rewrite(path, compression=zipfile.ZIP_STORED, **changed):
    """Rewrite the archive with members replaced (by arrays or raw bytes), left out (None) or added."""
    with np.load(path) as file:
        members = {**file, **changed}
    with zipfile.ZipFile(path, "w", compression) as zipped:
        for name, value in members.items():
            if value is not None:
                stream = io.BytesIO()
                if not isinstance(value, bytes):
                    np.save(stream, value)
                zipped.writestr(f"{name}.npy", value if isinstance(value, bytes) else stream.getvalue())


def rewrite_meta(path, **changed):
    with np.load(path) as file:
        meta = {**json.loads(file["meta"].tobytes()), **changed}
    rewrite(path, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8))


class Explosive:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("name", ["W", "b_e", "meta", "extra"])
def test_a_pickle_is_refused_unread(path, name, monkeypatch):
    monkeypatch.chdir(path.parent)
    rewrite(path, **{name: np.array([Explosive()], dtype=object)})
    with refusal(path, ".* has dtype object; .*|it holds meta.npy, W.npy, b_e.npy, extra.npy; .*"):
        load(path)
    path.write_bytes(pickle.dumps(Explosive()))
    with refusal(path, "File is not a zip file"):
        load(path)
    assert not os.path.exists("exploded")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"W": None}, "it holds meta.npy, b_e.npy; it must hold meta.npy, W.npy, b_e.npy"),
        ({"b_e": None}, "it holds meta.npy, W.npy; it must hold .*"),
        ({"meta": None}, "it holds W.npy, b_e.npy; it must hold .*"),
        ({"extra": np.zeros(1)}, "it holds meta.npy, W.npy, b_e.npy, extra.npy; it must hold .*"),
        ({"W": np.zeros((3, 3))}, r"W is float64 \(3, 3\); it must be a float64 array of shape \(2, 3\)"),
        ({"W": np.zeros(6)}, r"W has shape \(6,\); it must be \(samples, features\), both at least 1"),
        ({"W": np.zeros((2, 0))}, r"W has shape \(2, 0\); it must be .*"),
        ({"W": np.array(1.0)}, r"W has shape \(\); it must be .*"),
        ({"W": np.zeros((2, 3), np.float32)}, r"W is float32 \(2, 3\); it must be a float64 array .*"),
        ({"W": np.zeros((2, 3), np.float16)}, "W.npy has dtype float16; .*"),
        ({"W": np.zeros((2, 3), np.uint8)}, "W has dtype uint8; .*"),
        ({"W": np.zeros((2, 3), ">f8")}, "W.npy has dtype >f8; .*"),
        ({"W": np.zeros((2, 3), "f8,f8")}, r"W.npy has dtype \[.*"),
        ({"b_e": np.zeros(3)}, r"b_e is float64 \(3,\); it must be a float64 array of shape \(2,\)"),
        ({"b_e": np.zeros(2, np.float32)}, r"b_e is float32 \(2,\); .*"),
        ({"W": np.full((2, 3), np.nan)}, "W contains NaN or inf; every entry must be finite"),
        ({"b_e": np.array([0, np.inf])}, "b_e contains NaN or inf; every entry must be finite"),
        ({"W": b"not an array"}, "W.npy is not in NumPy's format 1.0: the magic string is not correct.*"),
        ({"W": b"\x93NUMPY\x02\x00"}, "W.npy is not in NumPy's format 1.0: it has another version"),
        ({"W": b""}, "W.npy is not in NumPy's format 1.0: EOF: .*"),
        ({"meta": np.zeros(2**20 + 2**11, np.uint8)}, r"meta.npy is compressed or longer than \d+ bytes"),
    ],
)
def test_a_wrong_member_is_named(path, members, reason):
    rewrite(path, **members)
    with refusal(path, reason):
        load(path)


@pytest.mark.parametrize("shape", [(10**12, 3), (-2, -3), (2, 4), (2,), ()])
def test_a_header_cannot_ask_for_more_than_the_file_holds(path, shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    rewrite(path, W=header.getvalue() + bytes(48))
    with refusal(path, r"W.npy has shape \(.*\), which its 48 bytes do not fill"):
        load(path)


def test_a_size_that_the_archive_only_claims_is_refused_before_reading(path):
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"W.npy"))
    content[entry + 20 : entry + 28] = 2 * (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with refusal(path, r"W.npy is compressed or longer than \d+ bytes"):
        load(path)


def test_compression_is_refused(path):
    rewrite(path, zipfile.ZIP_DEFLATED)
    with refusal(path, r"meta.npy is compressed or longer than \d+ bytes"):
        load(path)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"version": 2}, "it has format version 2; this release reads 1"),
        ({"version": None}, "it has format version None; this release reads 1"),
        ({"format": "another"}, "its metadata do not say that it is a numpy_rae model"),
        ({"activation": ["relu"]}, r"activation is \['relu'\]; it must be a name"),
        ({"model": 3}, "model is 3; it must be a name"),
        ({"notes": []}, r"notes is \[\]; it must be a dict"),
        ({"config": {"hiden": 2}}, ".*unexpected keyword argument 'hiden'.*"),
        ({"config": None}, ".*"),
        ({"config": {**asdict(CONFIG), "eta": -1}}, "eta is -1; it must be a number in .*"),
        ({"config": {**asdict(CONFIG), "hidden": 3}}, r"W is float64 \(2, 3\); it must be .* \(3, 3\)"),
        ({"config": {**asdict(CONFIG), "dtype": "float32"}}, r"W is float64 \(2, 3\); it must be a float32 .*"),
    ],
)
def test_wrong_metadata_are_named(path, changed, reason):
    rewrite_meta(path, **changed)
    with refusal(path, reason):
        load(path)


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"\xff\xfe\xff", b"[" * 100_000])
def test_metadata_that_are_not_json_are_refused(path, text):
    rewrite(path, meta=np.frombuffer(text, np.uint8))
    with refusal(path, ".+"):
        load(path)


def test_a_later_version_is_said_before_members_that_this_release_does_not_know(path):
    rewrite_meta(path, version=2)
    rewrite(path, W=None, W_1=np.zeros(2))
    with refusal(path, "it has format version 2; this release reads 1"):
        load(path)


NAN_BIAS = Params(PARAMS.W, np.array([0, np.nan]))
NESTED = []
NESTED.append(NESTED)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"params": NAN_BIAS}, "^b_e contains NaN or inf"),
        ({"params": Params(np.full((2, 3), -np.inf), PARAMS.b_e)}, "^W contains NaN or inf"),
        ({"params": Params(np.zeros((2, 3), np.float32), PARAMS.b_e)}, "^W is float32"),
        ({"params": Params(PARAMS.W, PARAMS.b_e[:1])}, r"^b_e is float64 \(1,\); it must be"),
        ({"params": Params(PARAMS.W.tolist(), PARAMS.b_e)}, "^W is a list"),
        ({"config": replace(CONFIG, hidden=3)}, r"^W is .*; it must be a float64 array of shape \(3, 3\)"),
        ({"activation": RELU}, "^activation is Activation"),
        ({"model": None}, "^model is None; it must be a name"),
        ({"notes": [1]}, r"^notes is \[1\]; it must be a dict"),
        ({"notes": {"a": float("nan")}}, "^notes or config cannot be kept as JSON"),
        ({"notes": {"a": {1}}}, "^notes or config cannot be kept as JSON: set is not a type of JSON"),
        ({"notes": {"a": NESTED}}, "^notes or config cannot be kept as JSON: Circular"),
        ({"notes": {"a": (1, 2)}}, "^notes cannot be stored unchanged"),
        ({"notes": {1: 2}}, "^notes cannot be stored unchanged"),
        ({"notes": {"a": "b" * 2**20}}, r"^notes take \d+ bytes"),
    ],
)
def test_what_would_not_come_back_is_refused_and_the_old_file_stays(path, changed, sentence):
    before = path.read_bytes()
    arguments = {"params": PARAMS, "activation": "relu", "config": CONFIG, "model": "CAE", "notes": {}} | changed
    with pytest.raises(ValueError, match=sentence):
        save(path, **arguments)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_when_writing_fails_the_old_file_is_kept_and_nothing_is_left_beside_it(path, monkeypatch, step, failure):
    before, beside = path.read_bytes(), []

    def fail(*arguments):
        beside.extend(set(os.listdir(path.parent)) - {path.name})
        raise failure

    monkeypatch.setattr(atomic.os, step, fail)
    expected = ModelFileError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as error:
        save(path, PARAMS, "relu", CONFIG, "DAE")
    monkeypatch.undo()
    if expected is ModelFileError:
        assert str(error.value) == f"model file {path} cannot be written: No space left on device"
    assert len(beside) == 1 and path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_a_path_that_cannot_be_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none" / "m.npz", tmp_path / "file" / "m.npz", tmp_path):
        with refusal(path, "[A-Z].+", what="written"):
            save(path, PARAMS, "relu", CONFIG, "CAE")
    for path in (tmp_path / "none.npz", tmp_path / "file" / "m.npz", tmp_path):
        with refusal(path, "[A-Z].+", what="read"):
            load(path)
    assert os.listdir(tmp_path) == ["file"]


def test_the_error_is_a_value_error():
    assert issubclass(ModelFileError, ValueError)
