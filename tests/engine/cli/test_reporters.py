"""What each reporter says, and what it keeps to itself."""

from __future__ import annotations

import io
import json

import pytest

from engine.api.messages import Notice, Progress
from engine.cli.reporters import BarReporter, JsonReporter, NoticeReporter, PictureClock, Reporter, choose_reporter, clock, phase_note

NOTICE = Notice(code="picture.frames", text="Only the first of 3 frames is used [bold].")
STEP = Progress(phase="refine", step=12, steps=100, member=2, members=3, eta_s=61.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def tell_all(reporter: Reporter) -> None:
    with reporter:
        reporter.picture(1, 2, "cup")
        reporter.event(NOTICE)
        reporter.event(STEP)
        reporter.download("small", 5_000_000, 0)
        reporter.download("small", 5_000_000, 20_000_000)


def test_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(choose_reporter(json_events=False), NoticeReporter)
    monkeypatch.setattr("sys.stderr", Terminal())
    assert isinstance(choose_reporter(json_events=False), BarReporter)
    assert isinstance(choose_reporter(json_events=True), JsonReporter)


def test_json_reporter_prints_every_event_as_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell_all(JsonReporter())
    shown, errors = capsys.readouterr()
    lines = [json.loads(line) for line in shown.splitlines()]
    assert [line["event"] for line in lines] == ["picture", "notice", "progress", "download", "download"]
    assert lines[0] == {"event": "picture", "number": 1, "count": 2, "id": "cup"}
    assert (lines[2]["phase"], lines[2]["step"], lines[2]["eta_s"]) == ("refine", 12, 61.0)
    assert lines[4] == {"event": "download", "name": "small", "bytes_done": 5_000_000, "bytes": 20_000_000}
    assert errors == ""


def test_notice_reporter_prints_notices_alone(capsys: pytest.CaptureFixture[str]) -> None:
    tell_all(NoticeReporter())
    assert capsys.readouterr() == ("", NOTICE.text + "\n")


def test_bars_show_phase_member_step_and_time_left(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "160")
    reporter = BarReporter()
    with reporter:
        reporter.picture(1, 2, "cup")
        reporter.event(NOTICE)
        reporter.event(STEP)
        shown = reporter._bars.get_renderable()
        reporter._bars.console.print(shown)
    text = terminal.getvalue()
    for part in (NOTICE.text, "Picture 1/2 cup", "Refining", "member 2 of 3 · step 12 of 100 · 1:01 left"):
        assert part in text
    assert capsys.readouterr().out == ""


def test_bars_survive_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    tell_all(BarReporter())


def test_phase_note() -> None:
    assert phase_note(STEP) == "member 2 of 3 · step 12 of 100 · 1:01 left"
    assert phase_note(Progress(phase="write", step=0, steps=1)) == ""
    assert phase_note(Progress(phase="gate", step=7, steps=8, eta_s=0.3)) == "step 7 of 8"


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (750, "12:30"), (3723, "1:02:03")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_time_left_over_several_pictures() -> None:
    now_s = 0.0
    pictures = PictureClock(count=4, now_s=lambda: now_s)
    pictures.begin(1)
    now_s = 3.0
    assert pictures.progress(9.0) == (0.25, 9.0 + 3 * 12.0)  # the others as long as this one
    now_s = 20.0
    pictures.begin(2)
    now_s = 25.0
    assert pictures.progress(5.0) == (1.5, 5.0 + 2 * 20.0)  # the others as long as the first was
