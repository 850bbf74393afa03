"""What a refinement is asked to do: models, preset, seed, prompt, with the licence of what is chosen; and how the running one goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.api.errors import RedepthError
from engine.api.messages import JobInfo
from engine.api.settings import RefineSettings, settings_from_preset

from ..link.models import EMBEDDED_FACTS, ModelFacts
from ..state.progress import describe, share_done
from .parts import card, label, restyle

_PRESETS = {"quick": "Quick", "default": "Default", "paper": "Paper (slow)"}
_LARGEST_SEED = 2**31 - 1
_ASK_FOLDER = "ask for a folder"


class RefinePanel(QWidget):
    """Choices and the two buttons.

    Signals:
        refine_asked: `RefineSettings`.
        cancel_asked: job id.
        refused: `RedepthError` of settings that contradict each other.
    """

    refine_asked = Signal(object)
    cancel_asked = Signal(str)
    refused = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._models: Sequence[ModelFacts] = EMBEDDED_FACTS
        self._job: JobInfo | None = None
        self._remembered: dict[str, str] = {}
        self._folders: dict[str, list[str]] = {"depth_model": [], "prior": []}
        self._has_picture = False
        self._advice = ""
        self.depth_model, self.prior, self.preset = QComboBox(), QComboBox(), QComboBox()
        self.seed, self.prompt, self.gate = QSpinBox(), QLineEdit(), QCheckBox("keep what is better")
        self.seed.setRange(0, _LARGEST_SEED)
        self.prompt.setPlaceholderText("empty: a caption, or none")
        self.gate.setChecked(True)
        self.gate.setToolTip("Keeps the base where the refinement looks worse than it.")
        for key, title in _PRESETS.items():
            self.preset.addItem(title, key)
        self.preset.setCurrentIndex(1)
        form = QWidget()
        rows = QFormLayout(form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(6)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        fields: list[tuple[str, QWidget]] = [
            ("&Depth", self.depth_model),
            ("&Prior", self.prior),
            ("Pr&eset", self.preset),
            ("&Seed", self.seed),
            ("Pro&mpt", self.prompt),
            ("&Gate", self.gate),
        ]
        for title, field in fields:
            field.setAccessibleName(title.replace("&", ""))
            rows.addRow(title, field)
        self.licence = label("", "muted")
        self.start = QPushButton("Refine")
        self.start.setProperty("role", "primary")
        self.stop = QPushButton("Cancel")
        self.bar, self.news = QProgressBar(), label("", "muted")
        self.bar.setTextVisible(False)
        buttons = QWidget()
        line = QHBoxLayout(buttons)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.start, 2)
        line.addWidget(self.stop, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(form, self.licence, buttons, self.bar, self.news, title="Refine"))
        self.start.clicked.connect(self._start)
        self.stop.clicked.connect(self._stop)
        self.depth_model.activated.connect(lambda: self._ask_folder("depth_model", self.depth_model))
        self.prior.activated.connect(lambda: self._ask_folder("prior", self.prior))
        self.depth_model.currentIndexChanged.connect(self._show_licence)
        self.prior.currentIndexChanged.connect(self._show_licence)
        self.show_models(EMBEDDED_FACTS)
        self.show_picture(None)

    # --- models -----------------------------------------------------------------------------------------------------------------------------

    def show_models(self, models: Sequence[ModelFacts]) -> None:
        """Offer these; those without weights are named and cannot be chosen."""
        self._models = models
        for role, box, field in (("depth", self.depth_model, "depth_model"), ("prior", self.prior, "prior")):
            here_now = {model.name for model in models if model.role == role and model.location is not None}
            remembered = self._remembered.get(field, "")
            chosen = self._remembered.pop(field) if remembered in here_now else box.currentData() or "embedded"
            box.blockSignals(True)
            box.clear()
            for model in (model for model in models if model.role == role):
                here = model.location is not None
                box.addItem(model.name if here else f"{model.name} (not here)", model.name)
                item: Any = box.model()
                item.item(box.count() - 1).setEnabled(here)
                advice = "" if here else f" Get it with: python -m engine models get {model.name} ({model.size_mb} MB)."
                box.setItemData(box.count() - 1, f"{model.note} Licence {model.licence}.{advice}", Qt.ItemDataRole.ToolTipRole)
            for folder in self._folders[field]:
                box.addItem(Path(folder).name, folder)
                box.setItemData(box.count() - 1, folder, Qt.ItemDataRole.ToolTipRole)
            box.addItem("Folder …", _ASK_FOLDER)
            box.setCurrentIndex(max(0, box.findData(chosen)))
            box.blockSignals(False)
        self._show_licence()

    def _ask_folder(self, field: str, box: QComboBox) -> None:
        """Ask for a folder of weights where that entry was chosen."""
        if box.currentData() == _ASK_FOLDER:
            name = QFileDialog.getExistingDirectory(self, "Folder of weights, in transformers or diffusers layout")
            self.choose_folder(field, name)

    def choose_folder(self, field: str, name: str) -> None:
        """Offer and choose a folder of weights; an empty name goes back to the embedded ones."""
        box = self.depth_model if field == "depth_model" else self.prior
        if name and name not in self._folders[field]:
            self._folders[field].append(name)
        box.setCurrentIndex(box.findData("embedded"))
        self.show_models(self._models)
        box.setCurrentIndex(max(0, box.findData(name or "embedded")))

    def _show_licence(self) -> None:
        """Say what the chosen weights may be used for."""
        notices = []
        for role, box in (("depth", self.depth_model), ("prior", self.prior)):
            facts = next((model for model in self._models if model.role == role and model.name == box.currentData()), None)
            if facts is None:
                notices.append(f"{role}: as its owner says.")
            else:
                warning = " Not for commercial use." if "NC" in facts.licence else ""
                notices.append(f"{role}: {facts.licence}.{warning}")
        self.licence.setText("Licence of the weights: " + " ".join(notices))
        noncommercial = any("Not for commercial" in notice for notice in notices)
        restyle(self.licence, "tone", "doubtful" if noncommercial else "")
        reads_text = self.prior.currentData() != "embedded"
        self.prompt.setEnabled(reads_text)
        self.prompt.setPlaceholderText("empty: a caption, or none" if reads_text else "this prior reads no text")

    # --- what is chosen ---------------------------------------------------------------------------------------------------------------------

    def settings(self) -> RefineSettings:
        """Return what is chosen.

        Raises:
            SettingsError: the choices contradict each other.
        """
        prompt = self.prompt.text().strip() if self.prompt.isEnabled() else ""
        return settings_from_preset(
            self.preset.currentData(),
            depth_model=self.depth_model.currentData(),
            prior=self.prior.currentData(),
            seed=self.seed.value(),
            prompt=prompt or None,
            gate=self.gate.isChecked(),
        )

    def choices(self) -> dict[str, str]:
        """Return what is chosen as texts, to be remembered."""
        return {"depth_model": self.depth_model.currentData(), "prior": self.prior.currentData(), "preset": self.preset.currentData()}

    def choose(self, choices: Mapping[str, str]) -> None:
        """Choose what was remembered; models only once they are known to be here."""
        self._remembered = dict(choices)
        index = self.preset.findData(choices.get("preset", ""))
        if index >= 0:
            self.preset.setCurrentIndex(index)
        self.show_models(self._models)

    def _start(self) -> None:
        try:
            self.refine_asked.emit(self.settings())
        except RedepthError as error:
            self.refused.emit(error)

    def _stop(self) -> None:
        if self._job is not None:
            self.stop.setEnabled(False)
            self.news.setText("Stopping within a step …")
            self.cancel_asked.emit(self._job.id)

    # --- the running job --------------------------------------------------------------------------------------------------------------------

    def show_picture(self, name: str | None, *, is_result: bool = False) -> None:
        """Say which picture would be refined; None = none is open, though perhaps a result of one."""
        self._has_picture = name is not None
        self._advice = "Open the picture itself to refine it again." if is_result else "Open a picture to refine its depth."
        self.start.setToolTip("" if name else "Open a picture first.")
        self._show_state()

    def show_job(self, job: JobInfo | None) -> None:
        """Show how the job of this picture goes, or None when there is none."""
        if job is None or self._job is None or job.id != self._job.id or job.state != self._job.state:
            self.stop.setEnabled(job is not None and not job.ended)
        self._job = job
        self._show_state()

    def _show_state(self) -> None:
        job = self._job
        runs = job is not None and not job.ended
        self.start.setEnabled(self._has_picture and not runs)
        self.start.setText("Refining …" if runs else "Refine")
        self.bar.setVisible(runs)
        if job is None:
            self.stop.setEnabled(False)
            self.news.setText("" if self._has_picture else self._advice)
            return
        if self.stop.isEnabled() or not runs:
            self.news.setText(describe(job))
        share = share_done(job)
        self.bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self.bar.setValue(round(1000 * share))
