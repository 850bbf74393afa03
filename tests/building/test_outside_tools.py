"""`building.outside_tools`: what is fetched for tests and packaging, and what is said where it cannot be had."""

from __future__ import annotations

import sys

import pytest

from building import outside_tools
from building.steps import SetupError


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the environments that were asked for; nothing is installed."""
    names: list[str] = []
    monkeypatch.setattr(outside_tools, "prepare_venv", lambda venv, files, call, **more: names.append(f"{venv.name} {files[0].name}"))
    return names


def test_blenders_have_environments_of_their_own(prepared: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 11, 9))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(outside_tools.platform, "machine", lambda: "x86_64")
    assert outside_tools.set_up_blenders("4.2", "5.0")
    assert prepared == [".venv-bpy-4.2 bpy-4.2.txt", ".venv-bpy-5.0 bpy-5.0.txt"]


@pytest.mark.parametrize(("version", "system", "machine"), [((3, 13, 0), "linux", "x86_64"), ((3, 11, 9), "linux", "aarch64")])
def test_where_there_is_no_blender_module_it_is_said_and_the_rest_goes_on(
    prepared: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], version: tuple[int, ...], system: str, machine: str
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(outside_tools.platform, "machine", lambda: machine)
    assert not outside_tools.set_up_blenders("4.2", "5.0")
    assert prepared == []
    assert f"Python {version[0]}.{version[1]} on {system}, {machine}" in capsys.readouterr().err


def test_blenders_program_that_is_missing_is_said(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_tools, "blender_venv", lambda version: tmp_path)
    with pytest.raises(SetupError, match=r"blender_ext\.py"):
        outside_tools.extension_tool("5.0")
