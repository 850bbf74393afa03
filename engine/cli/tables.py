"""Tables for people, on stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..api.messages import JobInfo
from ..evaluation.compare import Comparison, MeanChange
from ..evaluation.metrics import METRICS
from ..evaluation.protocols import PROTOCOLS
from ..evaluation.report import MeasuredImage, Summary

if TYPE_CHECKING:
    from ..models.catalogue import ModelInfo

_WIDTH_WHERE_NO_TERMINAL = 140
_SHOWN_PER_IMAGE = ("abs_rel", "normal_deg")
_UNLIMITED = 1000
_ABSENT = "-"


def print_table(table: Table) -> None:
    """Print ``table`` as wide as the terminal, or wide enough for a file."""
    _console().print(table)


def print_summary(summary: Summary) -> None:
    """Print means, change and wins a metric: the protocols side by side, or one below the other where the terminal is narrow."""
    side_by_side = summary_table(summary, tuple(PROTOCOLS))
    if Console(width=_UNLIMITED).measure(side_by_side).maximum <= _console().width:
        print_table(side_by_side)
    else:
        for protocol in PROTOCOLS:
            print_table(summary_table(summary, (protocol,)))


def summary_table(summary: Summary, protocols: Sequence[str]) -> Table:
    """Return a row a metric, four columns a protocol; nothing in it wraps."""
    images = max(compared.images for metrics in summary.values() for compared in metrics.values())
    table = _table(f"Means over {images} {'picture' if images == 1 else 'pictures'}")
    table.add_column("", no_wrap=True)
    for protocol in protocols:
        for title in (f"{protocol}\nbase", "\nrefined", "\nchange [95 % interval]", "\nbetter"):
            table.add_column(title, justify="right", no_wrap=True)
    for name, metric in METRICS.items():
        cells = [cell for protocol in protocols for cell in _comparison_cells(summary[protocol].get(name))]
        table.add_row(f"{metric.title} {'↑' if metric.higher_is_better else '↓'}", *cells)
    return table


def image_table(images: Sequence[MeasuredImage]) -> Table:
    """Return base → refined of each picture for the metrics that tell most; the JSON report has all."""
    table = _table("Each picture, base → refined")
    table.add_column("")
    for name in _SHOWN_PER_IMAGE:
        for number, protocol in enumerate(PROTOCOLS):
            table.add_column(f"{'' if number else METRICS[name].title}\n{protocol}", justify="right")
    for image in images:
        pairs = [(image.base[protocol].get(name), image.refined[protocol].get(name)) for name in _SHOWN_PER_IMAGE for protocol in PROTOCOLS]
        table.add_row(image.name, *[_ABSENT if base is None else f"{_number(base)} → {_number(refined)}" for base, refined in pairs])
    return table


def model_table(models: Sequence[ModelInfo]) -> Table:
    """Return every known model: what it is, what it may be used for, whether it is here."""
    table = _table("Models")
    for title in ("name", "role", "what", "licence", "size", "where"):
        table.add_column(title, justify="right" if title == "size" else "left", overflow="fold")
    for model in models:
        size = f"{model.size_mb} MB" if model.size_mb else _ABSENT
        table.add_row(model.name, model.role, model.note, model.licence, size, model.location or "not here")
    return table


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WHERE_NO_TERMINAL)


def job_table(jobs: Sequence[JobInfo]) -> Table:
    """Return the shared engine's jobs, newest last."""
    table = _table("Jobs")
    for title in ("id", "picture", "state", "submitted", "result"):
        table.add_column(title, overflow="fold")
    for job in jobs:
        submitted = datetime.fromtimestamp(job.submitted_at).strftime("%Y-%m-%d %H:%M")
        table.add_row(job.id[:8], escape(job.name), job.state, submitted, "yes" if job.has_result else _ABSENT)
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


def _comparison_cells(compared: Comparison | None) -> tuple[str, str, str, str]:
    if compared is None:
        return _ABSENT, _ABSENT, _ABSENT, _ABSENT
    return _number(compared.mean_base), _number(compared.mean_refined), _change(compared.relative_change), f"{compared.win_rate:.0%}"


def _change(change: MeanChange | None) -> str:
    if change is None:
        return _ABSENT
    interval = f" [{100 * change.low:+.1f}, {100 * change.high:+.1f}]" if change.low is not None and change.high is not None else ""
    return f"{100 * change.mean:+.1f} %{interval}"


def _number(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:.4g}" if value >= 1 else f"{value:.4f}"
