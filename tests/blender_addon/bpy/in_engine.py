"""Blender without windows and a real engine: the operators block, work, and refuse in words."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from harness import MODULE, Setting
from scenes import SAMPLE, faces, picture, reference, turned, vertices

SMALL_PX = (64, 48)


def small_sample() -> bpy.types.Image:
    """Return the sample at a size that refines in a second; it lives in this file alone."""
    image = bpy.data.images.load(str(SAMPLE))
    image.scale(*SMALL_PX)
    image.update()
    return image


def refine() -> bpy.types.Object:
    bpy.context.scene.redepth.preset = "quick"
    assert bpy.ops.redepth.refine_depth() == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def wait_for(setting: Setting, task: Any, timeout_s: float = 60) -> None:
    """Do as Blender's timer would."""
    jobs, deadline = setting.module("jobs"), time.monotonic() + timeout_s
    while not task.snapshot.ended:
        jobs.look()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    jobs.look()


def check_the_button_refines_and_builds_in_one_go(setting: Setting) -> None:
    empty = reference(small_sample(), turned())
    mesh = refine()
    assert mesh.redepth.is_result and tuple(mesh.redepth.picture.size) == SMALL_PX
    assert np.allclose(mesh.matrix_world, empty.matrix_world, atol=1e-5)
    assert empty.hide_get()
    assert mesh["redepth_depth_model"].endswith("GPL-3.0-or-later")
    assert setting.module("jobs").controller.tasks == []
    assert setting.module("engine_link").journal().entries() == []
    assert not list(setting.module("engine_link").own_folder("pictures").iterdir())
    assert Path(os.environ["REDEPTH_HOME"], "jobs", mesh["redepth_job"], "result").is_dir()


def check_the_same_picture_again_is_answered_at_once_and_equal(setting: Setting) -> None:
    reference(small_sample())
    first = refine()
    reference(small_sample())
    begun = time.monotonic()
    again = refine()
    assert time.monotonic() - begun < 10
    assert first["redepth_job"] == again["redepth_job"]
    assert np.array_equal(vertices(first), vertices(again)) and np.array_equal(faces(first), faces(again))


def check_a_cancelled_job_frees_the_list_and_builds_nothing(setting: Setting) -> None:
    jobs = setting.module("jobs")
    reference(small_sample())
    bpy.context.scene.redepth.preset, bpy.context.scene.redepth.seed = "paper", 3
    task = jobs.begin(bpy.context, setting.module("picture.source").find_source(bpy.context))
    bpy.context.scene.redepth.seed = 0
    assert bpy.ops.redepth.cancel(number=task.number) == {"FINISHED"}
    wait_for(setting, task)
    assert task.snapshot.state == "cancelled"
    assert bpy.ops.redepth.dismiss(number=task.number) == {"FINISHED"}
    assert jobs.controller.tasks == [] and not [thing for thing in bpy.data.objects if thing.redepth.is_result]


def check_another_file_is_not_built_into(setting: Setting) -> None:
    jobs = setting.module("jobs")
    reference(small_sample())
    bpy.context.scene.redepth.preset = "quick"
    task = jobs.begin(bpy.context, setting.module("picture.source").find_source(bpy.context))
    bpy.ops.wm.read_homefile(use_empty=True)
    wait_for(setting, task)
    assert jobs.can_build(task) and not jobs.belongs_here(task)
    assert bpy.ops.redepth.build_ended(number=task.number) == {"FINISHED"}
    assert tuple(bpy.context.view_layer.objects.active.redepth.picture.size) == SMALL_PX
    assert jobs.controller.tasks == []


def check_a_job_is_found_again_after_a_crash(setting: Setting) -> None:
    jobs, link = setting.module("jobs"), setting.module("engine_link")
    empty = reference(small_sample(), turned())
    bpy.context.scene.redepth.preset = "quick"
    task = jobs.begin(bpy.context, setting.module("picture.source").find_source(bpy.context))
    deadline = time.monotonic() + 60
    while not link.journal().entries():
        jobs.look()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    jobs.close()  # all that a crash leaves is the journal
    (entry,) = jobs.found_again()
    assert entry.name == task.name
    assert bpy.ops.redepth.take_up(job=entry.job_id) == {"FINISHED"}
    mesh = bpy.context.view_layer.objects.active
    assert mesh["redepth_job"] == entry.job_id and np.allclose(mesh.matrix_world, empty.matrix_world, atol=1e-5)
    assert jobs.found_again() == []


def check_what_the_viewer_offers_is_taken_and_built(setting: Setting) -> None:
    handoff, folders = setting.module("engine.api.handoff"), setting.module("engine.api.folders").find_folders()
    reference(small_sample())
    job = refine()["redepth_job"]
    handoff.offer_job(folders, job, "from the viewer.png")
    assert bpy.ops.redepth.take_up(job=job, name="from the viewer.png") == {"FINISHED"}
    mesh = bpy.context.view_layer.objects.active
    assert (mesh.name, mesh["redepth_job"]) == ("from the viewer.png mesh", job)
    assert mesh.redepth.picture.packed_file is not None
    assert handoff.offered_jobs(folders) == []


def check_the_engine_is_tested_and_lets_go(setting: Setting) -> None:
    state = setting.module("engine_state")
    assert bpy.ops.redepth.test_engine() == {"FINISHED"}
    facts = state.facts()
    assert facts.status.version and {model["name"] for model in facts.models} >= {"embedded", "small", "sd15"}
    assert all(model["licence"] for model in facts.models)
    assert bpy.ops.redepth.release_gpu() == {"FINISHED"}
    deadline = time.monotonic() + 20
    while state.facts().status.worker != "none":
        assert time.monotonic() < deadline
        bpy.ops.redepth.release_gpu()
        time.sleep(0.2)


def check_a_wrong_python_is_refused_in_words(setting: Setting) -> None:
    settings = bpy.context.preferences.addons[MODULE].preferences
    reference(small_sample())
    settings.engine_python = "/nowhere/python"
    try:
        for operator in (bpy.ops.redepth.refine_depth, bpy.ops.redepth.test_engine):
            try:
                operator()
            except RuntimeError as error:
                assert "There is no Python at /nowhere/python" in str(error)
            else:
                raise AssertionError("it ran")
    finally:
        settings.engine_python = ""


def check_a_model_that_is_not_here_is_refused_with_what_to_do(setting: Setting) -> None:
    reference(small_sample())
    options = bpy.context.scene.redepth
    options.depth_model = "large"
    try:
        bpy.ops.redepth.refine_depth()
    except RuntimeError as error:
        assert "models get large" in str(error), error
    else:
        raise AssertionError("it ran")
    finally:
        options.depth_model = "embedded"


def check_installing_needs_online_access(setting: Setting) -> None:
    assert bpy.app.online_access is False or bpy.context.preferences.system.use_online_access
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.redepth.install_engine.poll()
    bpy.context.preferences.system.use_online_access = True
    try:
        assert bpy.ops.redepth.install_engine.poll()
        try:
            bpy.ops.redepth.install_engine()
        except RuntimeError as error:
            assert "carries no engine" in str(error)  # the tests' zip is made without its wheel
        else:
            raise AssertionError("it installed something")
    finally:
        bpy.context.preferences.system.use_online_access = False


def check_unregistering_in_the_middle_of_a_job_is_safe(setting: Setting) -> None:
    import addon_utils

    reference(picture())
    bpy.context.scene.redepth.preset = "quick"
    task = setting.module("jobs").begin(bpy.context, setting.module("picture.source").find_source(bpy.context))
    addon_utils.disable(MODULE, default_set=True)
    assert not task.follower.is_alive() or task.snapshot.state == "connecting"
    addon_utils.enable(MODULE, default_set=True)
