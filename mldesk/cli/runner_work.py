"""``mldesk runners queue``, ``drain``, ``settings``, ``log``, ``watch``: what a runner does now, and is to do next."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_hours, read_size, show_hours
from mldesk.cli.face import Face, facts, make_console, make_table
from mldesk.cli.interrupts import Interrupts
from mldesk.core.errors import BadInput, RunnerUnreachable

if TYPE_CHECKING:
    from mldesk.wire.runner_view import QueueView, RunnerSettings, Sample
    from mldesk.workbench.bench import Workbench

Name = Annotated[str, typer.Argument(metavar="NAME", help='A runner; this machine is "local".')]
_POLL, _PAUSE = 2.0, 1.0  # seconds that a poll waits for a sample, and that a silent runner is left alone


def queue(
    context: typer.Context, name: Name,
    move: Annotated[str, typer.Option(metavar="RUN", help="A waiting run to put elsewhere or to give "
                                      "--priority.")] = "",
    before: Annotated[str, typer.Option(metavar="RUN", help="The run it is to wait right before; without it, it "
                                        "waits last of its priority.")] = "",
    priority: Annotated[int | None, typer.Option(metavar="N", min=-10, max=10, help="Higher is earlier.")] = None,
) -> None:
    """Show what waits and what runs; with --move, change the order."""
    from mldesk.workbench.summaries import runner_queue

    if not move and (before or priority is not None):
        raise BadInput("Which run is to wait elsewhere?", hint="Write --move RUN --before OTHER, or --move RUN "
                       "--priority N.")
    if before and priority is not None:
        raise BadInput("--before and --priority exclude each other: a run takes the priority of the one it is put "
                       "before.")
    face = Face.of(context)
    with face.workbench() as bench:
        if move and priority is not None:
            bench.runners.prioritize(name, bench.runs.get(move).id, priority)
        elif move:
            bench.runners.reorder(name, bench.runs.get(move).id, bench.runs.get(before).id if before else "")
        view = bench.runners.queue(name)
        if face.json:
            face.document(runner_queue(name, view))
            return
        _print_queue(face, bench, view)


def drain(
    context: typer.Context, name: Name,
    off: Annotated[bool, typer.Option("--off", help="Start jobs again.")] = False,
) -> None:
    """Let what runs come to its end and start nothing new."""
    face = Face.of(context)
    with face.workbench() as bench:
        bench.runners.drain(name, not off)
    face.document({"runner": name, "draining": not off}) if face.json else face.say(
        f"The runner {name} starts jobs again." if off else
        f"The runner {name} finishes what runs and starts nothing new: mldesk runners drain {name} --off")


def settings(
    context: typer.Context, name: Name,
    cpu_slots: Annotated[int | None, typer.Option(metavar="N", min=1, max=256, help="Jobs at once that use no graphics "
                                                  "card.")] = None,
    gpu_slots: Annotated[int | None, typer.Option(metavar="N", min=0, max=64, help="Jobs at once on each graphics "
                                                  "card.")] = None,
    quiet: Annotated[list[str] | None, typer.Option(metavar="22:00-07:00", help="Hours in which nothing starts; may be "
                                                    "repeated; none for none.")] = None,
    on_reboot: Annotated[str, typer.Option(metavar="resume|wait", help="What becomes of jobs that a reboot cut.")] = "",
    quota: Annotated[str, typer.Option(metavar="50GB", help="Most that its cache of datasets may take; none for no "
                                       "limit.")] = "",
) -> None:
    """Show how a runner behaves, or change it. Every MLDesk that uses it sees the same."""
    from mldesk.workbench.summaries import runner_settings

    changes = _changes(cpu_slots, gpu_slots, quiet, on_reboot, quota)
    face = Face.of(context)
    with face.workbench() as bench:
        now = bench.runners.settings(name)
        if changes:
            now = replace(now, **changes)
            bench.runners.configure(name, now)
        zone = bench.runners.zone(name)
    if face.json:
        face.document(runner_settings(name, now, zone))
        return
    _print_settings(face, now, zone)


def log(context: typer.Context, name: Name) -> None:
    """Print the end of the agent's own log."""
    face = Face.of(context)
    with face.workbench() as bench:
        text = bench.runners.log(name)
    face.document({"runner": name, "log": text}) if face.json else face.say(text)


def watch(
    context: typer.Context, name: Name,
    samples: Annotated[int, typer.Option(metavar="N", min=0, help="End after so many; 0 goes on until Ctrl-C.")] = 0,
) -> None:
    """Show a runner's load as it happens, once a second. With --json one object per line."""
    face = Face.of(context)
    live = sys.stdout.isatty() and not face.json
    with Interrupts() as interrupts, face.workbench() as bench:
        after = seen = 0
        silent = False
        with _Screen(live) as screen:
            while not interrupts.asked():
                try:
                    came = bench.runners.telemetry(name, after, _POLL)
                except RunnerUnreachable as error:
                    if not silent:
                        face.note(f"! {error.message} Trying again.")
                    silent = True
                    time.sleep(_PAUSE)
                    continue
                silent = False
                for sample in came[-1:] if not seen else came:  # what was before is no news
                    seen += 1
                    after = sample.seq
                    if face.json:
                        face.line({"runner": name, **sample.to_json()})
                    else:
                        screen.show(face, name, sample)
                    if samples and seen >= samples:
                        return
                if not came and _began_anew(bench, name, after):
                    after = 0


def _began_anew(bench: Workbench, name: str, after: int) -> bool:
    """Say whether the agent there has started again since, and counts from 1."""
    newest = bench.runners.telemetry(name)
    return bool(newest) and newest[-1].seq < after


class _Screen:
    """One table that is drawn again and again on a terminal; plain lines elsewhere."""

    def __init__(self, live: bool) -> None:
        self._live: Any = None
        self._wanted = live

    def __enter__(self) -> Self:
        if self._wanted:
            from rich.live import Live

            self._live = Live(console=make_console(sys.stdout), auto_refresh=False, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, face: Face, name: str, sample: Sample) -> None:
        rows = _load(name, sample)
        if self._live is not None:
            self._live.update(make_table(("what", "load", "memory", "more"), rows), refresh=True)
            return
        face.say("  ".join(f"{what} {load} {memory} {more}".strip() for what, load, memory, more in rows))
        sys.stdout.flush()


def _load(name: str, sample: Sample) -> list[tuple[str, str, str, str]]:
    rows = [(name, f"{sample.cpu:.0%}", _share(sample.memory_used, sample.memory_total),
             f"disk {_share(sample.disk_used, sample.disk_total)}")]
    for card in sample.gpus:
        heat = "" if card.temperature is None else f"{card.temperature:.0f} °C"
        power = "" if card.power is None else f"{card.power:.0f} W"
        rows.append((card.name, "" if card.utilization is None else f"{card.utilization:.0%}",
                     _share(card.memory_used, card.memory_total), " ".join(filter(None, (heat, power)))))
    for job, load in sample.jobs.items():
        rows.append((f"job {job[-6:]}", f"{load.cpu:.1f} cores", words.size(load.memory),
                     words.size(load.gpu_memory) + " of the card" if load.gpu_memory else ""))
    return rows


def _share(used: int, total: int) -> str:
    return f"{words.size(used)} of {words.size(total)}" if total else ""


def _changes(cpu_slots: int | None, gpu_slots: int | None, quiet: list[str] | None, on_reboot: str,
             quota: str) -> dict[str, Any]:
    if on_reboot not in ("", "resume", "wait"):
        raise BadInput(f"A reboot's jobs {on_reboot[:40]!r}?", hint="--on-reboot resume, or --on-reboot wait.")
    changes: dict[str, Any] = {"cpu_slots": cpu_slots, "gpu_slots": gpu_slots, "on_reboot": on_reboot or None,
                               "quota": read_size(quota) if quota else None}
    if quiet:
        changes["quiet"] = tuple(read_hours(item) for item in quiet if item.strip().lower() != "none")
    return {key: value for key, value in changes.items() if value is not None}


def _print_settings(face: Face, now: RunnerSettings, zone: str) -> None:
    hours = ", ".join(map(show_hours, now.quiet))
    face.show(facts({
        "processor slots": now.cpu_slots, "slots per graphics card": now.gpu_slots,
        "quiet hours": f"{hours} ({zone})" if hours else "none", "after a reboot": {
            "resume": "its jobs go on by themselves", "wait": "its jobs wait for you"}[now.on_reboot],
        "cache": words.size(now.quota) if now.quota else "as much as the disk has"}))


def _print_queue(face: Face, bench: Workbench, view: QueueView) -> None:
    names = {run.id: run.name for run in bench.runs.list(limit=1000)}
    face.table(("slot", "card", "memory", "job"),
               [(f"{slot.kind} {slot.index}", slot.name, words.size(slot.memory) if slot.memory else "",
                 names.get(slot.job, slot.job) or "free") for slot in view.slots], empty="It has no slots.")
    face.say()
    face.table(("position", "job", "id", "priority", "waits for"),
               [(item.position, item.name, item.job, item.priority, item.why) for item in view.waiting],
               right=("position", "priority"), spare=("id",), empty="Nothing waits.")
    if view.draining:
        face.note("! It is being drained: nothing new starts.")
    elif view.quiet:
        face.note("! These are its quiet hours: nothing new starts.")
