"""What a server can be told, and that the documentation says all of it."""

from __future__ import annotations

import re
import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from web_3d_app.files import TOP as ROOT
from web_3d_app.settings import Settings, variable_of


def table() -> dict[str, tuple[str, str]]:
    """docs/server.md's: variable -> (default, meaning)."""
    text = (ROOT / "docs" / "server.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) ?\| (.*) \|$", text, re.MULTILINE)
    return {name: (default.strip("` "), about) for name, default, about in rows}


def shown(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    return f"{default:g}" if isinstance(default, int | float) else str(default)


def test_the_documentation_has_every_setting_and_no_other() -> None:
    assert table() == {variable_of(f.name): (shown(f.default), f.metadata["about"]) for f in fields(Settings)}


def test_every_setting_is_used() -> None:
    code = "\n".join(path.read_text() for path in [*(ROOT / "web_3d_app").rglob("*.py"), ROOT / "gunicorn.conf.py"])
    unused = [f.name for f in fields(Settings) if not re.search(rf"settings\.{f.name}\b|self\.{f.name}\b", code)]
    assert unused == []


def test_settings_go_through_the_environment_and_back_but_for_keys() -> None:
    odd = Settings(port=1, https=True, trusted_hosts=("a.example", "b.example"), max_megapixels=1.5, create_rate="none")
    assert Settings.from_env(odd.environment()) == odd
    assert not {"SECRET_KEY", "SECRET_KEY_FALLBACKS"} & set(odd.environment())


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [("UNFLAT_PORT", "http", "a number"), ("UNFLAT_HTTPS", "maybe", "1 or 0"), ("UNFLAT_ENV", "test", "production")],
)
def test_a_wrong_value_is_told_with_its_variable(variable: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=rf"{variable} is '{text}'; give .*{told}"):
        Settings.from_env({variable: text})


def test_the_key_is_made_once_and_kept_or_demanded(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path))
    key = settings.with_secret().secret_key
    assert len(key) == 64 and settings.with_secret().secret_key == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="SECRET_KEY is not set"):
        replace(settings, env="production").with_secret()
    assert replace(settings, env="production", secret_key="mine").with_secret().secret_key == "mine"
