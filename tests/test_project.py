"""What holds for the project as a whole, and nobody should have to remember."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

MAX_MODULE_LINES = 400
# In pieces, since this file is searched too.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("proxy", "golang", "org"),
    ]
]


def _tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file()]


TRACKED = _tracked_files()
MODULES = [path for path in TRACKED if path.suffix == ".py" and "migrations" not in path.parts]


def _pins(lock: Path) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def _lines(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _asked_for(lock: Path) -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    asked = {
        "build": _lines("build.in"),
        "uv": _lines("uv.in"),
        "bench": [*PROJECT["dependencies"], *extras["demo"], *_lines("bench.in")],
        "dev": [
            *PROJECT["dependencies"],
            *extras["collector"],
            *extras["ui"],
            *extras["demo"],
            *_lines("dev.in"),
        ],
    }
    names = asked.get(lock.stem) or [*PROJECT["dependencies"], *extras[lock.stem]]
    return [Requirement(name) for name in names]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_lock_has_what_is_asked_for(lock):
    """After a change of pyproject.toml or an .in file, `make lock` was run."""
    pins = _pins(lock)
    missing = [
        str(requirement)
        for requirement in _asked_for(lock)
        if not requirement.specifier.contains(
            pins.get(canonicalize_name(requirement.name), "0"), prereleases=True
        )
        or canonicalize_name(requirement.name) not in pins
    ]

    assert missing == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_lock_has_hashes(lock):
    """Every requirement is pinned to the files that were resolved."""
    blocks = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    unhashed = [block for block in blocks if "==" in block and "--hash=sha256:" not in block]

    assert unhashed == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_locks_agree(lock):
    """An image runs the versions that the tests ran with."""
    tested = _pins(ROOT / "requirements" / "dev.txt")
    different = {
        name: version
        for name, version in _pins(lock).items()
        if tested.get(name, version) != version
    }

    assert different == {}


def test_base_install():
    """What goes into a Django process is OpenTelemetry's packages, and nothing else."""
    names = [canonicalize_name(Requirement(each).name) for each in PROJECT["dependencies"]]

    assert [name for name in names if not name.startswith("opentelemetry-")] == []


def test_no_package_registry_is_named():
    """Where packages come from is each machine's own setting."""
    naming = [
        path.relative_to(ROOT)
        for path in TRACKED
        if any(host.encode() in path.read_bytes() for host in REGISTRY_HOSTS)
    ]

    assert naming == []
    assert ROOT / "uv.lock" not in TRACKED


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/index.md"])
def test_documented_targets_exist(document):
    """Every `make …` of the documents is a target that `make help` shows."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE))
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|\$ |^)make ([a-z-]+)", text, re.MULTILINE))

    assert named - targets == set()


def test_licence():
    """The project says what the licence file says."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")

    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0" in text


def test_modules_are_small():
    """A module can be read in one sitting."""
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in MODULES
    }

    assert {name: count for name, count in lines.items() if count > MAX_MODULE_LINES} == {}


def test_modules_are_named_for_what_they_hold():
    """No module or folder is a drawer for everything."""
    drawers = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    found = [
        path.relative_to(ROOT)
        for path in MODULES
        if drawers & {path.stem, *path.relative_to(ROOT).parent.parts}
    ]

    assert found == []


@pytest.mark.parametrize("script", [".ci/run", "tests/install.sh"])
def test_scripts_parse(script):
    """The scripts are valid, and stop at the first error."""
    subprocess.run(["bash", "-n", script], cwd=ROOT, check=True)

    assert "set -euo pipefail" in (ROOT / script).read_text(encoding="utf-8")
