import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "deploy" / "docker").glob("*.Dockerfile"))


def _copied(dockerfile: Path) -> list[str]:
    """Paths that COPY takes from the project, not from an earlier stage."""
    copies = re.findall(r"^COPY (?!--from)(.+)$", dockerfile.read_text(), re.MULTILINE)
    return [source for copy in copies for source in copy.split()[:-1]]


def _may_be_sent() -> set[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_copies_what_is_here(dockerfile):
    """Each COPY names a path that exists and that .dockerignore lets through."""
    for source in _copied(dockerfile):
        assert (ROOT / source).exists(), source
        assert any(source == kept or source.startswith(f"{kept}/") for kept in _may_be_sent())


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_copies_all_that_the_wheel_needs(dockerfile):
    """The wheel is built from every package, the README and the licence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {package.split("/")[0] for package in packages} | {
        project["project"]["readme"],
        *project["project"]["license-files"],
        "pyproject.toml",
    }

    assert needed <= set(_copied(dockerfile))


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_runs_as_an_ordinary_user(dockerfile):
    """The last user of an image is neither root nor the default."""
    users = re.findall(r"^USER (\S+)$", dockerfile.read_text(), re.MULTILINE)

    assert users
    assert users[-1] not in {"root", "0"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_installs_nothing_unpinned(dockerfile):
    """Everything installed has a hash or was built here; nothing is compiled."""
    for install in re.findall(r"pip install [^&\n]+", dockerfile.read_text()):
        assert "--require-hashes" in install or "/wheel/" in install
        assert "--only-binary :all:" in install or "--no-deps" in install


def test_clickhouse_configuration_bounds_memory_and_logs():
    """The server leaves memory to others, and no system log grows without an end."""
    config = ET.parse(ROOT / "deploy" / "clickhouse" / "limits.xml").getroot()
    logs = [element for element in config if element.tag.endswith("_log")]

    assert int(config.findtext("max_server_memory_usage", "0")) > 0
    assert [log.tag for log in logs if not log.get("remove") and log.find("ttl") is None] == []
