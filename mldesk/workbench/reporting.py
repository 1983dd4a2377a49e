"""Reports of runs, searches and comparisons: what the library knows of them, as a document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mldesk import __version__
from mldesk.core.durable import write_atomic
from mldesk.core.errors import BadInput, MldeskError
from mldesk.core.targets import check_target
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.reports.document import Report, Section
from mldesk.workbench import report_compared, report_evaluation, report_explained, report_facts, report_search
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.judging import JudgingService
from mldesk.workbench.runs import RunService
from mldesk.workbench.scripts import ScriptService
from mldesk.workbench.searches import SearchService

SUFFIXES = (".html", ".pdf")
_LOG = 64 * 1024      # bytes of a log that are shown: its end
_LOG_OF_MANY = 8 * 1024   # ... and of each of several
_EXAMPLES = 10        # of the rows that a model is most wrong about


class ReportService:
    """Makes reports. They hold nothing that is not in the library, and are the same whenever they are made."""

    def __init__(self, library: Library, datasets: DatasetService, runs: RunService, searches: SearchService,
                 judging: JudgingService, scripts: ScriptService) -> None:
        self._library, self._datasets, self._runs, self._judging = library, datasets, runs, judging
        self._searches, self._scripts = searches, scripts

    def write(self, references: Sequence[str], path: Path) -> Path:
        """Write the report of a run, or of several side by side, as the suffix of ``path`` says; return ``path``.

        Raises NotFound, BadInput for another suffix, a missing folder or a run that has not ended, NoPdf.
        """
        check_target(path)
        if path.suffix.lower() not in SUFFIXES:
            raise BadInput(f"A report is a file that ends in {' or '.join(SUFFIXES)}, and {path.name[-60:]!r} does "
                           "not.", hint=f"Write {path.with_suffix('.html').name}.")
        report = self.make(references)
        from mldesk.reports.page import write_page  # draws with Matplotlib
        from mldesk.reports.pdf import write_pdf

        pdf = path.suffix.lower() == ".pdf"
        page = write_pdf(report) if pdf else write_page(report).encode(errors="backslashreplace")
        write_atomic(path, page)
        return path

    def make(self, references: Sequence[str]) -> Report:
        """Return the document. Raises NotFound, BadInput for a run that has not ended."""
        runs = [self._ended(reference) for reference in references]
        return self._of_one(runs[0]) if len(runs) == 1 else self._of_several(runs)

    def _ended(self, reference: str) -> Run:
        run = self._runs.get(reference)
        if not run.state.ended:
            raise BadInput(f"Run {run.name} has not ended, so there is no report of it yet.",
                           hint=f"Follow it: mldesk runs follow {run.id}")
        return run

    def _of_one(self, run: Run) -> Report:
        evaluation, model = self._evaluation(run), self._model(run)
        drawn = run.kind == "search"   # with its trials
        points = [] if drawn else self._library.runs.metrics(run.id)
        sections = [report_facts.outcome(run, evaluation)]
        if run.kind == "search":
            sections.append(report_search.blend((run.result or {}).get("members") or ()))
            sections.append(report_search.trials(self._searches.leaderboard(run.id)))
        sections += report_explained.sections(self._explanation(run))
        sections += [report_facts.data(run, self._version(run)), report_facts.configuration(run),
                     *report_facts.curves(points), *report_evaluation.sections(
                         evaluation, (run.result or {}).get("cross_validation") or {})]
        if run.kind in ("script", "imported"):
            sections.append(report_facts.files(self._library.runs.artifacts(run.id)))
        if run.kind == "script":
            sections += self._script(run)
        sections += self._examples(run, evaluation)
        sections += [report_facts.environment(run, model, self._events(run, "staged", "started")),
                     report_facts.course(self._events(run, "warning", "log")), self._log(run)]
        return Report(run.name, report_facts.subtitle(run), [item for item in sections if item.blocks],
                      self._footer(), ("MLDesk", run.kind, run.target, run.estimator))

    def _of_several(self, runs: Sequence[Run]) -> Report:
        found = self._judging.compare([run.id for run in runs])
        pairs = self._judging.paired([run.id for run in runs])
        kept = report_compared.Kept(
            {run.id: self._library.runs.metrics(run.id) for run in runs},
            {run.id: self._evaluation(run) for run in runs},
            {run.id: report_facts.where(run, self._model(run), self._events(run, "staged", "started")) for run in runs},
            {run.id: self._end_of_log(run, _LOG_OF_MANY)[0] for run in runs})
        sections = [*report_compared.sections(runs, found, pairs, kept), self._common(runs, kept),
                    report_facts.changes("", self._scripts.between([run.id for run in runs]) or ""),
                    *report_compared.logs(runs, kept)]
        return Report(f"{len(runs)} runs compared", ", ".join(run.name for run in runs),
                      [item for item in sections if item.blocks], self._footer(),
                      ("MLDesk", "comparison", *(run.name for run in runs)))

    def _script(self, run: Run) -> list[Section]:
        """Show the program, and what changed in it since the run before."""
        try:
            shown = [report_facts.program(*self._scripts.program(run))]
        except (MldeskError, OSError):   # files of a run that are no longer here
            return []
        try:
            return [*shown, report_facts.changes(*self._scripts.changes(run.id))]
        except (MldeskError, OSError):   # the first one
            return shown

    # What the library holds of a run; {} or nothing where it holds none

    def _evaluation(self, run: Run) -> Mapping[str, Any]:
        try:
            return self._judging.evaluation(run.id)
        except MldeskError:
            return {}

    def _explanation(self, run: Run) -> Mapping[str, Any]:
        artifact = self._library.runs.artifacts(run.id).get("explanation")
        try:
            return {} if artifact is None else dict(json.loads(self._library.objects.read(str(artifact["digest"]))))
        except (MldeskError, OSError, ValueError):
            return {}

    def _model(self, run: Run) -> Mapping[str, Any]:
        digest = str((run.result or {}).get("model", ""))
        try:
            entry = self._library.objects.manifest(digest).entry("model.json")
            return dict(json.loads(self._library.objects.read(entry.sha256)))
        except (MldeskError, OSError, ValueError):
            return {}

    def _version(self, run: Run) -> Any:
        try:
            return self._datasets.show(run.dataset)
        except MldeskError:
            return None

    def _events(self, run: Run, *kinds: str) -> list[Any]:
        after, found = 0, []
        while batch := self._library.runs.events(run.id, after, limit=5000):
            found += [event for event in batch if event.kind in kinds]
            after = batch[-1].seq
        return found

    def _examples(self, run: Run, evaluation: Mapping[str, Any]) -> list[Section]:
        """Show the rows that the model is most wrong about as they stand in the table, if it is here."""
        worst = ((evaluation.get("parts") or {}).get("test") or {}).get("worst") or []
        rows: list[Sequence[Any]] = []
        names: Sequence[str] = ()
        for item in worst[:_EXAMPLES]:
            try:
                page = self._datasets.preview(run.dataset, rows=1, offset=int(item["row"]))
            except MldeskError:
                return [report_evaluation.examples(worst[:_EXAMPLES], [], ())]
            rows.append(page.rows[0])
            names = page.columns
        return [report_evaluation.examples(worst[:_EXAMPLES], rows, names)] if rows else []

    def _common(self, runs: Sequence[Run], kept: report_compared.Kept) -> Section:
        """Show the rows that several runs are most wrong about as they stand in the table, if it is here."""
        common = report_compared.common_errors(runs, kept.evaluations)
        rows: list[Sequence[Any]] = []
        names: Sequence[str] = ()
        for error in common:
            try:
                page = self._datasets.preview(runs[0].dataset, rows=1, offset=error.row)
            except MldeskError:
                return report_compared.errors(runs, common, (), [])
            rows.append(page.rows[0])
            names = page.columns
        return report_compared.errors(runs, common, names, rows)

    def _log(self, run: Run) -> Section:
        return report_facts.log(*self._end_of_log(run, _LOG))

    def _end_of_log(self, run: Run, most: int) -> tuple[str, str]:
        """Return the last bytes of a log as text, and why they cannot be had."""
        try:
            text, offset = b"", 0
            while (more := self._runs.log(run.id, offset, limit=_LOG))[0]:
                text, offset = (text + more[0])[-most:], more[1]
        except MldeskError as error:
            return "", str(error)
        return text.decode("utf-8", "replace"), ""

    @staticmethod
    def _footer() -> str:
        return (f"Made by MLDesk {__version__} from its library; the same run gives the same report. Intervals are "
                "95 % bootstrap intervals over the test rows.")
