from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.api.errors import OutputError
from engine.export.files import prepare_folder, remove_file, write_set, write_whole


def failing(error: BaseException, on_call: int = 1) -> Callable[..., None]:
    """Return a function that raises ``error`` when called the n-th time."""
    calls = 0

    def fail(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == on_call:
            raise error

    return fail


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    for content in (b"first", memoryview(b"second, longer")):
        write_whole(target, content)
        assert target.read_bytes() == bytes(content)
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (errno.ENOSPC, "output.disk_full", "disk is full"),
        (errno.EDQUOT, "output.disk_full", "quota"),
        (errno.EACCES, "output.permission", "not permitted"),
        (errno.EROFS, "output.permission", "read-only"),
        (errno.EIO, "output", os.strerror(errno.EIO)),
    ],
)
def test_a_failing_disk_leaves_the_old_file_and_nothing_else(
    call: str, number: int, code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, call, failing(OSError(number, os.strerror(number))))
    with pytest.raises(OutputError, match=words) as caught:
        write_whole(target, b"new")
    assert caught.value.code == code
    assert caught.value.hint
    assert str(target) in caught.value.sentence
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_write_that_the_system_stops_half_way_leaves_nothing(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits exist on POSIX only")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(OutputError) as caught:
            write_whole(tmp_path / "a.bin", bytes(2 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.code == "output.too_large"
    assert os.listdir(tmp_path) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.bin", b"new")
    assert os.listdir(tmp_path) == []


def test_a_set_is_written_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {tmp_path / name: name.encode() for name in ("a.png", "a.mtl", "a.obj")}
    with monkeypatch.context() as patch, pytest.raises(OutputError):
        patch.setattr(os, "fsync", failing(OSError(errno.ENOSPC, "full"), on_call=3))
        write_set(contents)
    assert os.listdir(tmp_path) == []
    write_set(contents)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == contents


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    cases = {"folder": "output.is_folder", "missing/a": "output.no_folder", "file/a": "output.not_folder"}
    for name, code in cases.items():
        with pytest.raises(OutputError) as caught:
            write_whole(tmp_path / name, b"new")
        assert caught.value.code == code, name
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_prepare_folder_makes_it_and_leaves_it_empty(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"
    prepare_folder(folder)
    prepare_folder(folder)
    assert os.listdir(folder) == []


def test_prepare_folder_refuses_a_file_and_a_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OutputError) as caught:
            prepare_folder(path)
        assert caught.value.code == "output.not_folder"
    monkeypatch.setattr(os, "fsync", failing(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OutputError, match="disk is full"):
        prepare_folder(tmp_path / "new")
    assert os.listdir(tmp_path / "new") == []


def test_remove_file_takes_a_missing_one(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"")
    remove_file(target)
    remove_file(target)
    assert not target.exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_files_get_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
