"""`building.system_packages`: what a Linux lacks, by Debian's names, and who installs it."""

from __future__ import annotations

import os
import sys

import pytest

from building import system_packages


def no_library(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems' wheels bring all they need")
def test_missing_libraries_become_debian_packages() -> None:
    engine = system_packages.ENGINE
    assert system_packages.missing_packages(engine, load=no_library) == ["libstdc++6", "libgcc-s1", "zlib1g"]
    assert system_packages.missing_packages(engine, load=lambda name: None) == []
    version = f"python3.{sys.version_info[1]}-venv"
    assert system_packages.missing_packages(engine, load=lambda name: None, find=lambda name: None) == [version]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems' wheels bring all they need")
def test_all_needs_are_installed_in_one_go_and_each_package_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(system_packages, "missing_packages", lambda libraries: list(libraries.values()))
    monkeypatch.setattr(system_packages, "install_system_packages", asked.append)
    system_packages.provide(system_packages.ENGINE, system_packages.VIEWER, system_packages.BLENDER)
    (packages,) = asked
    assert len(packages) == len(set(packages))
    assert {"zlib1g", "libegl1", "libxxf86vm1"} <= set(packages)


def test_root_on_debian_installs_missing_packages_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(system_packages, "call", commands.append)
    monkeypatch.setenv("DEBIAN_FRONTEND", "dialog")
    system_packages.install_system_packages(["zlib1g"])
    assert [" ".join(command) for command in commands] == [
        "apt-get -o DPkg::Lock::Timeout=300 update",
        "apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends zlib1g",
    ]
    assert os.environ["DEBIAN_FRONTEND"] == "noninteractive"


def test_others_are_given_the_line_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system_packages.os, "geteuid", lambda: 1000, raising=False)
    line = "sudo apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends libstdc++6 zlib1g"
    with pytest.raises(system_packages.MissingPackagesError, match=line.replace("+", r"\+")):
        system_packages.install_system_packages(["libstdc++6", "zlib1g"])
    monkeypatch.setattr(system_packages.shutil, "which", lambda name: None)
    with pytest.raises(system_packages.MissingPackagesError, match="zlib1g"):
        system_packages.install_system_packages(["zlib1g"])
