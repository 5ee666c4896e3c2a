"""Django's and Celery's own tests, from their source distributions, of the versions we install."""

import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LOCK = _ROOT / "requirements" / "dev.txt"
_FOLDER = _ROOT / ".tools" / "suites"


def source_of(package: str) -> Path:
    """Return the folder of a package's source, downloaded if it is not there yet."""
    folder = _FOLDER / f"{package}-{version(package)}"
    if not folder.exists():
        _unpack(_download(package))
    return folder


def _download(package: str) -> Path:
    """Have pip download what the lock file names, and check it against the hashes there."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    requirement = _FOLDER / f"{package}.txt"
    requirement.write_text(_locked(package), encoding="utf-8")
    # The environment's own interpreter has no pip: uv made it.
    pip = [Path(sys.base_prefix) / "bin" / "python3", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [
            *(*pip, "download", "--quiet", "--no-deps", "--no-binary", ":all:"),
            *("--require-hashes", "-r", requirement, "-d", _FOLDER),
        ],
        check=True,
    )
    return _FOLDER / f"{package}-{version(package)}.tar.gz"


def _locked(package: str) -> str:
    blocks = re.split(r"\n(?=\S)", _LOCK.read_text(encoding="utf-8"))
    (found,) = (block for block in blocks if block.startswith(f"{package}=="))
    return found


def _unpack(archive: Path) -> None:
    with tarfile.open(archive) as files:
        files.extractall(archive.parent, filter="data")
    archive.unlink()
