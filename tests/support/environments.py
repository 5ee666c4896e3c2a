"""Virtual environments with other versions than the tests' own, from locked requirements."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_UV = _ROOT / ".tools" / "bin" / "uv"
_LOCKS = _ROOT / "tests" / "environments"
_FOLDER = _ROOT / ".tools" / "environments"


def environment(name: str, *, wheel: Path) -> Path:
    """Return the programs of an environment with what its lock says, and hotspan as it is now."""
    folder = _FOLDER / name
    python = folder / "bin" / "python"
    if not python.exists():
        _run(_UV, "venv", "--quiet", "--python", sys.executable, folder)
    lock = _LOCKS / f"{name}.txt"
    _run(_UV, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock)
    _run(_UV, "pip", "install", "--quiet", "--python", python, "--no-deps", wheel)
    return folder / "bin"


def build_wheel(folder: Path) -> Path:
    """Build hotspan's wheel as it is now, and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)
