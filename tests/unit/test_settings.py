from pathlib import Path

import pytest

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.settings import Settings, is_loopback, load_settings


@pytest.fixture(autouse=True)
def _no_settings_in_the_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HOTSPAN_{name.upper()}", raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hotspan.toml"
    path.write_text('http_port = 1111\nlog_format = "json"\n', encoding="utf-8")
    return path


def test_the_default_stands_where_nothing_is_given():
    """OTLP's own ports, on loopback."""
    settings = load_settings()

    assert (settings.host, settings.grpc_port, settings.http_port, settings.api_port) == (
        "127.0.0.1",
        4317,
        4318,
        4319,
    )


def test_the_file_wins_over_the_default(config):
    """A file sets what it names, and nothing else."""
    settings = load_settings(config=config)

    assert (settings.http_port, settings.log_format, settings.api_port) == (1111, "json", 4319)


def test_the_environment_wins_over_the_file(config, monkeypatch):
    """A variable wins over the same setting in the file."""
    monkeypatch.setenv("HOTSPAN_HTTP_PORT", "2222")

    assert load_settings(config=config).http_port == 2222


def test_the_command_line_wins_over_the_environment(config, monkeypatch):
    """An option wins; an option that is not given leaves the setting alone."""
    monkeypatch.setenv("HOTSPAN_HTTP_PORT", "2222")
    monkeypatch.setenv("HOTSPAN_API_PORT", "3333")

    settings = load_settings(config=config, http_port=4444, api_port=None)

    assert (settings.http_port, settings.api_port) == (4444, 3333)


def test_rules_are_set_by_tables_of_the_file(tmp_path):
    """`[rules.<id>]` holds values of a rule's settings."""
    path = tmp_path / "hotspan.toml"
    path.write_text("[rules.n_plus_one]\nmin_count = 8\n", encoding="utf-8")

    assert load_settings(config=path).rules == {"n_plus_one": {"min_count": 8}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http_port", "70000"),
        ("http_port", "-1"),
        ("http_port", "web"),
        ("commit_linger_ms", "-5"),
        ("max_request_bytes", "3"),
        ("log_format", "xml"),
        ("ingest_keys", "not-json"),
        ("retention_days", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(monkeypatch, name, value):
    """The message says which variable is wrong, and how it is called in the file."""
    monkeypatch.setenv(f"HOTSPAN_{name.upper()}", value)

    with pytest.raises(ConfigurationError) as refusal:
        load_settings()

    assert name in str(refusal.value).lower()


def test_an_unknown_setting_is_refused(tmp_path):
    """A typing mistake in the file is told, not ignored."""
    path = tmp_path / "hotspan.toml"
    path.write_text("htp_port = 1\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="htp_port"):
        load_settings(config=path)


def test_a_file_that_is_not_toml_is_named(tmp_path):
    """The message names the file."""
    path = tmp_path / "hotspan.toml"
    path.write_text("http_port: 1\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"hotspan\.toml is not TOML"):
        load_settings(config=path)


def test_a_missing_file_is_named(tmp_path):
    """A settings file that was asked for must be there."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_settings(config=tmp_path / "absent.toml")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.3", "collector.example"])
def test_open_doors_are_refused(host):
    """Nothing listens beyond loopback without keys for both doors."""
    with pytest.raises(ConfigurationError, match="HOTSPAN_INGEST_KEYS and HOTSPAN_API_KEYS"):
        load_settings(host=host)


def test_one_key_is_not_enough(monkeypatch):
    """The door that is still open is named, and only that."""
    monkeypatch.setenv("HOTSPAN_INGEST_KEYS", '["a"]')

    with pytest.raises(ConfigurationError, match=r"set HOTSPAN_API_KEYS:"):
        load_settings(host="0.0.0.0")


def test_with_keys_it_may_listen_anywhere(monkeypatch):
    """Both keys set: the address is free to choose, and keys do not show when printed."""
    monkeypatch.setenv("HOTSPAN_INGEST_KEYS", '["a-secret"]')
    monkeypatch.setenv("HOTSPAN_API_KEYS", '["another"]')

    settings = load_settings(host="0.0.0.0")

    assert settings.host == "0.0.0.0"
    assert "a-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback(host, expected):
    """Only addresses that no other machine reaches are loopback."""
    assert expected == is_loopback(host)


def test_the_store_lies_in_the_data_directory(tmp_path):
    """Without a store, the embedded one in the data directory is taken."""
    settings = load_settings(data_dir=tmp_path)

    assert settings.store_dsn == f"chdb://{tmp_path}/store"


def test_every_setting_is_described():
    """What can be set says what it does."""
    undescribed = [
        name for name, field in Settings.model_fields.items() if not (field.description or "")
    ]

    assert undescribed == []
