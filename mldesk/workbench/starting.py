"""Starting from a template: its data become a dataset, its settings a preset."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from mldesk.core.errors import Conflict, NotFound
from mldesk.library.records import DatasetVersion
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.imported import Imported
from mldesk.workbench.presets import Preset, PresetService
from mldesk.workbench.templates.table import SOURCE, TEMPLATES, Template, find


@dataclass(frozen=True, slots=True)
class Started:
    """What a template became."""

    template: Template
    imported: Imported
    preset: str        # the name under which its settings are kept


def preset_of(template: Template) -> Preset:
    """Return a template's settings."""
    return Preset(template.train, None)


class TemplateService:
    """Over the services of datasets and presets, as anybody would use them."""

    def __init__(self, datasets: DatasetService, presets: PresetService) -> None:
        self._datasets, self._presets = datasets, presets

    def start(self, name: str, dataset: str = "", *, progress: Callable[[float, float], None] | None = None,
              cancelled: Callable[[], bool] | None = None) -> Started:
        """Import a template's data and keep its preset; what is there already stays as it is.

        Raises NotFound, Conflict where ``dataset`` (else the template's name) is a dataset of something else.
        """
        template = find(name)
        dataset = dataset or template.name
        if self._taken(template, dataset):
            raise Conflict(f"There is a dataset {dataset} that was not made from this template.",
                           hint=f"Give this one another name: mldesk templates start {name} --name OTHER")
        done = self._datasets.import_files([template.source], dataset, progress=progress, cancelled=cancelled)
        return Started(template, done, self.keep(template))

    def keep(self, template: Template) -> str:
        """Keep a template's settings as a preset; return under which name. Nobody's own preset is replaced."""
        return self._presets.add(template.name, preset_of(template))

    def name_for(self, template: Template) -> str:
        """Return what its dataset is or may be called: the template's name, with a number where that is taken."""
        names = (template.name if number == 1 else f"{template.name}-{number}" for number in itertools.count(1))
        return next(name for name in names if not self._taken(template, name))

    def _taken(self, template: Template, dataset: str) -> bool:
        """Say whether ``dataset`` is the name of something else."""
        try:
            version = self._datasets.show(dataset)
        except NotFound:
            return False
        return self.of(version) != template

    def of(self, version: DatasetVersion) -> Template | None:
        """Return the template that a version was made from, cleaned or not; None for data of another origin."""
        for one in self._datasets.line_of(version):
            sources = (one.reading or {}).get("sources")
            if isinstance(sources, list) and len(sources) == 1 and str(sources[0]).startswith(SOURCE):
                return TEMPLATES.get(str(sources[0]).removeprefix(SOURCE))
        return None
