"""Builds the parts once, by hand, and passes them to constructors. Importing it loads no heavy library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mldesk.core.clock import SystemClock
from mldesk.core.errors import SecretsLocked
from mldesk.core.paths import Home, default_home
from mldesk.library import Library
from mldesk.library.records import RunnerRecord
from mldesk.library.secrets import SecretStore
from mldesk.library.vault import ENVIRONMENT
from mldesk.workbench.access import Access
from mldesk.workbench.bench import Workbench
from mldesk.workbench.checked_files import CheckedFileService
from mldesk.workbench.cleaning import CleaningService
from mldesk.workbench.contracts import ContractService
from mldesk.workbench.credentials import KeptSecrets
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.drifting import DriftService
from mldesk.workbench.explaining import ExplainService
from mldesk.workbench.exploring import ExploreService
from mldesk.workbench.five_by_two import CrossTestService
from mldesk.workbench.health import Finding, examine
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
from mldesk.workbench.signing_key import SigningKeys
from mldesk.workbench.starting import TemplateService

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.runners import RunnerClient


def open_workbench(home: Path | None = None, *, secrets: SecretStore | None = None,
                   ssh_folder: Path | None = None) -> Workbench:
    """Open the library at ``home`` (else ``MLDESK_HOME``, else the user's data folder) and build the services.

    ``secrets`` replaces the keyring or vault that belongs to the library, ``ssh_folder`` the user's ~/.ssh.

    Raises LibraryDamaged, DiskFull, OSError. No runner is started or asked before one is needed.
    """
    place = Home(home or default_home())
    library = Library.open(place)
    clock = SystemClock()
    secrets = secrets or SecretStore(place.vault)
    access = Access(place, KeptSecrets(secrets), ssh_folder)

    def connect(record: RunnerRecord) -> RunnerClient:
        from mldesk.runners.local import LocalRunner  # rpyc loads with it

        return LocalRunner(place) if record.kind == "local" else access.runner(record, library.objects)

    runners = RunnerService(library, connect, clock, access)
    datasets = DatasetService(library, place)
    models = ModelService(library, SigningKeys(secrets, library.settings))
    runs = RunService(library, datasets, runners, clock)
    judging, searches = JudgingService(library, runs), SearchService(library, datasets, runners, runs)
    predictions = PredictionService(library, models)
    explore = ExploreService(library, datasets, place)
    book, scripts = RunBook(library), ScriptService(library, datasets, runners, clock, place.scratch)
    contracts, presets = ContractService(library, datasets, place), PresetService(library)
    return Workbench(
        home=place, library=library, datasets=datasets, models=models,
        cleaning=CleaningService(library, datasets, place), about=AboutService(library, models),
        drift=DriftService(library, models), runners=runners, runs=runs, searches=searches,
        judging=judging, history=HistoryService(library, datasets), contracts=contracts,
        checked=CheckedFileService(library, datasets, contracts),
        explore=explore, predictions=predictions,
        explaining=ExplainService(library, datasets, models, runs, predictions),
        scripts=scripts, schedule=ScheduleService(runs, searches, scripts, book, runners, clock),
        reports=ReportService(library, datasets, runs, searches, judging, scripts),
        cross_tests=CrossTestService(library, runs), book=book, run_import=RunImport(library),
        presets=presets, templates=TemplateService(datasets, presets),
        retraining=RetrainService(library, models, runs, searches, datasets, explore.membership))


def examine_machine(home: Path | None = None) -> Iterator[Finding]:
    """Look at what ``mldesk doctor`` shows; works where the library cannot even be opened."""
    place = Home(home or default_home())

    def secrets() -> str:
        store = SecretStore(place.vault)
        if store.place == "vault" and not place.vault.exists() and ENVIRONMENT not in os.environ:
            raise SecretsLocked("No keyring works here, and no vault stands in for it: bundles go unsigned.",
                                hint=f"Unlock or install a keyring, or set {ENVIRONMENT} to a passphrase.")
        store.get("doctor")  # raises where the place cannot be opened
        return f"Secrets are kept in the {store.place}."

    def library() -> str:
        if not place.database.exists():
            return "No library yet; the first import makes one."
        with Library.open(place) as opened:
            return f"The library is whole: {len(opened.datasets.list())} datasets, {len(opened.models.list())} models."

    def agent() -> str:
        from mldesk.runners.local import LocalRunner

        if not place.runner.exists():  # making a LocalRunner would make folders
            return "No agent runs on this machine; one is started when it is needed."
        return LocalRunner(place).describe()

    return examine(place, secrets=secrets, library=library, agent=agent)
