"""Run one reader under atheris until libFuzzer's options end the run. `run.py` starts this script.

python tests/fuzz/harness.py READER [libFuzzer's options and folders]
"""

import sys

import atheris

import numpy_rae.autoencoder  # noqa: F401  imported first: NumPy and SciPy would take minutes to instrument

with atheris.instrument_imports(include=["numpy_rae", "tarfile", "zipfile", "gzip", "json"]):
    from readers import READERS


def main() -> None:
    reader = READERS[sys.argv.pop(1)]

    def one(content: bytes) -> None:
        try:
            reader.read(content)
        except reader.error:
            pass

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
