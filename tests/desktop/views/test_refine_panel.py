from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.link.models import ModelFacts, list_models
from desktop.views.refine_panel import RefinePanel
from engine.api.messages import JobInfo, Progress, event_to_json
from engine.models.catalogue import KNOWN

pytestmark = pytest.mark.gui


def facts(name: str, role: str, licence: str, location: str | None) -> ModelFacts:
    return ModelFacts(name=name, role=role, licence=licence, size_mb=99, location=location, note="A note.")  # type: ignore[arg-type]


MODELS = [
    facts("embedded", "depth", "GPL-3.0-or-later", "/weights"),
    facts("small", "depth", "Apache-2.0", None),
    facts("large", "depth", "CC-BY-NC-4.0", "/cache/large"),
    facts("embedded", "prior", "GPL-3.0-or-later", "/weights"),
    facts("sd15", "prior", "CreativeML-OpenRAIL-M", "/cache/sd15"),
]


@pytest.fixture
def panel(qtbot: QtBot) -> RefinePanel:
    made = RefinePanel()
    qtbot.addWidget(made)
    made.show_models(MODELS)
    made.show_picture("photo.jpg")
    return made


def choose(panel: RefinePanel, depth_model: str, prior: str) -> None:
    panel.depth_model.setCurrentIndex(panel.depth_model.findData(depth_model))
    panel.prior.setCurrentIndex(panel.prior.findData(prior))


def test_the_engine_says_which_models_there_are() -> None:
    listed = list_models()
    assert [(model.name, model.role) for model in listed] == [(model.name, model.role) for model in KNOWN]
    assert all(model.location for model in listed if model.name == "embedded")


def test_what_is_chosen_is_what_is_asked_for(panel: RefinePanel, qtbot: QtBot) -> None:
    choose(panel, "large", "sd15")
    panel.preset.setCurrentIndex(panel.preset.findData("quick"))
    panel.seed.setValue(7)
    panel.prompt.setText(" a cup ")
    panel.gate.setChecked(False)
    with qtbot.waitSignal(panel.refine_asked) as asked:
        panel.start.click()
    settings = asked.args[0]
    assert (settings.depth_model, settings.prior, settings.preset, settings.prompt, settings.gate) == ("large", "sd15", "quick", "a cup", False)
    assert settings.method.seed == 7


def test_weights_that_are_not_here_cannot_be_chosen_and_say_how_to_get_them(panel: RefinePanel) -> None:
    row = panel.depth_model.findData("small")
    assert not panel.depth_model.model().item(row).isEnabled()  # type: ignore[attr-defined]
    assert "models get small" in panel.depth_model.itemData(row, 3)


def test_the_licence_follows_the_choice_and_warns(panel: RefinePanel) -> None:
    assert "Not for commercial use" not in panel.licence.text()
    choose(panel, "large", "embedded")
    assert "CC-BY-NC-4.0. Not for commercial use." in panel.licence.text()
    assert panel.licence.property("tone") == "doubtful"


def test_only_a_prior_that_reads_text_takes_a_prompt(panel: RefinePanel) -> None:
    assert not panel.prompt.isEnabled()
    choose(panel, "embedded", "sd15")
    assert panel.prompt.isEnabled()


def test_a_folder_of_weights_can_be_chosen(panel: RefinePanel, tmp_path: Path) -> None:
    panel.choose_folder("depth_model", str(tmp_path))
    assert panel.settings().depth_model == str(tmp_path)
    assert "as its owner says" in panel.licence.text()
    panel.choose_folder("depth_model", "")
    assert panel.settings().depth_model == "embedded"


def test_choices_come_back_once_their_models_are_known_to_be_here(panel: RefinePanel, qtbot: QtBot) -> None:
    choose(panel, "large", "sd15")
    kept = panel.choices()
    later = RefinePanel()
    qtbot.addWidget(later)
    later.choose(kept)
    assert later.depth_model.currentData() == "embedded"
    later.show_models(MODELS)
    assert (later.depth_model.currentData(), later.prior.currentData()) == ("large", "sd15")


def test_progress_and_buttons_follow_the_job(panel: RefinePanel, qtbot: QtBot) -> None:
    progress = event_to_json(Progress(phase="refine", step=5, steps=20, member=2, members=3, eta_s=30.0))
    job = JobInfo(id="ab", name="photo.jpg", state="running", folder="/nowhere", submitted_at=1.0, progress=progress)
    panel.show_job(job)
    assert panel.news.text() == "Refining · member 2 of 3 · step 5 of 20 · 0:30 to go"
    assert (panel.bar.value(), panel.bar.maximum()) == (250, 1000)
    assert not panel.start.isEnabled()
    with qtbot.waitSignal(panel.cancel_asked) as asked:
        panel.stop.click()
    assert asked.args == ["ab"]
    assert not panel.stop.isEnabled()
