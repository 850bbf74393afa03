from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.state.look import Look
from desktop.views.keeping import RECENT_KEPT, Keeping
from engine.api.settings import MeshSettings

pytestmark = pytest.mark.gui


def test_a_look_comes_back_without_what_belongs_to_one_picture(tmp_path: Path) -> None:
    look = Look(layout="wipe", map_layer="depth", colour_map="Turbo", range_mode="percentile", mesh=MeshSettings(near_far_ratio=7.0, fov_deg=33.0))
    Keeping(tmp_path / "viewer.ini").keep_look(replace(look, flipped=True, wipe_share=0.9))
    kept = Keeping(tmp_path / "viewer.ini").look()
    assert kept == replace(look, mesh=MeshSettings(near_far_ratio=7.0))


@pytest.mark.parametrize("content", ["", "[look]\nlayout=cube\nnear_far_ratio=many\n", "[look]\nnear_far_ratio=-4\n[theme]\n", "\x00\x01 no ini"])
def test_what_makes_no_sense_counts_as_absent(tmp_path: Path, content: str) -> None:
    (tmp_path / "viewer.ini").write_text(content, encoding="utf-8")
    keeping = Keeping(tmp_path / "viewer.ini")
    assert keeping.look() == Look()
    assert keeping.theme() == "dark"
    assert keeping.recent() == []


def test_recent_files_are_the_newest_that_are_still_there(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "viewer.ini")
    paths = [tmp_path / f"{number}.jpg" for number in range(RECENT_KEPT + 3)]
    for path in paths:
        path.touch()
        keeping.keep_recent(path)
    keeping.keep_recent(paths[5])
    paths[-1].unlink()
    assert keeping.recent()[:2] == [paths[5], paths[-2]]
    assert len(keeping.recent()) == RECENT_KEPT - 1
    keeping.forget_recent()
    assert keeping.recent() == []
