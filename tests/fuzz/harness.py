"""One reader under atheris, until libFuzzer's own options end it; started by `run.py`.

python tests/fuzz/harness.py READER [libFuzzer's options and folders]
"""

import sys

import atheris

import numpy_rae.autoencoder  # noqa: F401  NumPy and SciPy take minutes to instrument, and are not looked at

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
