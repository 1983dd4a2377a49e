"""The workbench: every service, built over one open library."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.settings import SettingStore
from mldesk.workbench.checked_files import CheckedFileService
from mldesk.workbench.cleaning import CleaningService
from mldesk.workbench.contracts import ContractService
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.drifting import DriftService
from mldesk.workbench.explaining import ExplainService
from mldesk.workbench.exploring import ExploreService
from mldesk.workbench.five_by_two import CrossTestService
from mldesk.workbench.history import HistoryService
from mldesk.workbench.judging import JudgingService
from mldesk.workbench.model_about import AboutService
from mldesk.workbench.models import ModelService
from mldesk.workbench.predictions import PredictionService
from mldesk.workbench.presets import PresetService
from mldesk.workbench.reporting import ReportService
from mldesk.workbench.retraining import RetrainService
from mldesk.workbench.run_book import RunBook
from mldesk.workbench.run_import import RunImport
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.runs import RunService
from mldesk.workbench.scheduling import ScheduleService
from mldesk.workbench.scripts import ScriptService
from mldesk.workbench.searches import SearchService
from mldesk.workbench.starting import TemplateService


@dataclass(frozen=True, slots=True)
class Workbench:
    """What both faces hold. Close it to let go of the library and of runners; runs go on."""

    home: Home
    library: Library
    datasets: DatasetService
    cleaning: CleaningService
    history: HistoryService
    contracts: ContractService
    checked: CheckedFileService
    explore: ExploreService
    runs: RunService
    searches: SearchService
    judging: JudgingService
    cross_tests: CrossTestService
    book: RunBook
    run_import: RunImport
    presets: PresetService
    templates: TemplateService
    explaining: ExplainService
    models: ModelService
    about: AboutService
    drift: DriftService
    retraining: RetrainService
    predictions: PredictionService
    runners: RunnerService
    reports: ReportService
    scripts: ScriptService
    schedule: ScheduleService

    @property
    def settings(self) -> SettingStore:
        return self.library.settings

    def change_token(self) -> int:
        """Return a number that changes whenever any process has written to the library."""
        return self.library.change_token()

    def close(self) -> None:
        self.runners.close()
        self.runs.close()
        self.library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()
