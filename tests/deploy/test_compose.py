import json
import re
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from hotspan_collector.settings import Settings as CollectorSettings
from hotspan_ui.settings import Settings as UiSettings
from support.processes import Process, free_port

ROOT = Path(__file__).parents[2]
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
SERVICES = COMPOSE["services"]

# What the images of other projects read.
IMAGE_VARIABLES = {
    "clickhouse": {"CLICKHOUSE_DB", "CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"},
    "postgres": {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"},
}
OTEL_VARIABLES = {
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
}


def _variables(settings: type[BaseSettings]) -> set[str]:
    names = set()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else []
        names |= {choice for choice in choices if str(choice).startswith("HOTSPAN_")}
        if not choices:
            names.add(f"{settings.model_config['env_prefix']}{name}".upper())
    return names


def _shop_variables() -> set[str]:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "deploy/demo/shop").rglob("*.py")
    )
    return set(re.findall(r'environ\.get\("([A-Z_]+)"', sources)) | OTEL_VARIABLES


def _known_variables(service: str) -> set[str]:
    if service == "collector":
        return _variables(CollectorSettings)
    if service == "ui":
        return _variables(UiSettings)
    return IMAGE_VARIABLES.get(service) or _shop_variables()


def test_follows_the_compose_specification():
    """The file is valid by the JSON schema of the compose specification."""
    schema = json.loads(
        resources.files("check_jsonschema.builtin_schemas.vendor")
        .joinpath("compose-spec.json")
        .read_text(encoding="utf-8")
    )

    jsonschema.validate(COMPOSE, schema)


@pytest.mark.parametrize("service", SERVICES)
def test_environment_is_of_documented_settings(service):
    """A container is given only settings that its program reads: no misspelt, no removed one."""
    given = set(SERVICES[service].get("environment", {}))

    assert given - _known_variables(service) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_build_files_exist(service):
    """Each image can be found, or be built from files that are here."""
    build = SERVICES[service].get("build")
    if build is None:
        assert ":" in SERVICES[service]["image"], "name a version of the image"
        return

    assert (ROOT / build["context"] / build["dockerfile"]).is_file()


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_to_this_machine_only(service):
    """Nothing is offered to the network before somebody decides so."""
    foreign = [
        port for port in SERVICES[service].get("ports", []) if not port.startswith("127.0.0.1:")
    ]

    assert foreign == []


@pytest.mark.parametrize("service", SERVICES)
def test_dependencies_can_be_met(service):
    """A service waits only for services that exist, and for health only where it is checked."""
    for name, dependency in SERVICES[service].get("depends_on", {}).items():
        assert name in SERVICES

        if dependency["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[name]


@pytest.mark.parametrize("service", SERVICES)
def test_volumes_exist(service):
    """Named volumes are declared, and mounted files are here."""
    for volume in SERVICES[service].get("volumes", []):
        source = volume.split(":")[0]

        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


@pytest.mark.parametrize("service", SERVICES)
def test_comes_back_by_itself(service):
    """Every service has a restart policy and a bound on its logs."""
    assert SERVICES[service]["restart"] in {"unless-stopped", "on-failure"}
    assert SERVICES[service]["logging"]["options"]["max-size"] == "10m"


def test_env_example_names_every_variable():
    """.env.example lists what the file asks for, and nothing else."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))

    assert listed == set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_TEXT))


def test_secrets_have_no_defaults():
    """A secret that is missing stops compose with a message that says what to do."""
    secrets = re.findall(r"\$\{([A-Z_]+_(?:KEY|PASSWORD))([^}]*)\}", COMPOSE_TEXT)

    assert {rest for _, rest in secrets} == {
        ":?is not set. Copy .env.example to .env and fill it in"
    }


def test_outside_world_answers(tmp_path):
    """The command that stands in for external services listens where other containers reach it."""
    program, *arguments = SERVICES["outside"]["command"]
    port = free_port()
    here = {"0.0.0.0": "127.0.0.1", "8099": str(port)}

    with Process(
        [sys.executable, *(here.get(argument, argument) for argument in arguments)],
        log_path=tmp_path / "log",
        env={"PYTHONPATH": str(ROOT / "deploy" / "demo")},
    ) as outside:
        outside.wait_for_port(port)

    assert program == "python"
    assert set(here) <= set(arguments)
