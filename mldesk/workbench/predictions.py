"""Predictions for a file of new rows, from a model of the library or a bundle, in the input's row order."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mldesk.bundles.names import CUT, IGNORED
from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput, MldeskError, NotFound
from mldesk.core.scratch import working_folder
from mldesk.core.targets import check_target, loses, refuse_library, would_be_lost
from mldesk.library import Library
from mldesk.library.records import PredictionRecord
from mldesk.workbench.as_imported import as_imported
from mldesk.workbench.cleaning_rows import Chain, Cleaned, chain_of, why_cleaned
from mldesk.workbench.cleaning_rows import clean as clean_rows
from mldesk.workbench.given_rows import dataset_of, given_rows
from mldesk.workbench.guard import Divided, Guarded, guard, held_to
from mldesk.workbench.models import SUFFIX, ModelService, existing
from mldesk.workbench.references import did_you_mean, listed

if TYPE_CHECKING:
    from mldesk.bundles import Predictor
    from mldesk.bundles.contract import RowContract
    from mldesk.data.records import ImportOptions

_REJECTS, _REASONS = "rejects.csv", "reasons.parquet"
OUTPUTS = (".csv", ".parquet", ".jsonl", ".xlsx")


@dataclass(frozen=True, slots=True)
class PredictionReport:
    """What was predicted."""

    model: str                 # name@version, or the bundle's file name
    rows: int
    columns: tuple[str, ...]   # of the output
    output: Path
    warnings: tuple[str, ...]  # columns that were not needed, categories never seen, rules of the contract broken, …
    left_out: int = 0          # rows that break the contract, which are in the rejects file
    called: str = ""           # from which probability on a row is called a class, in words, where that was set
    keys: tuple[str, ...] = ()  # columns of the input that tell its rows apart, as far as the model knows

    @property
    def doubtful(self) -> bool:
        """Whether a warning may mean that predictions are worse, not only that columns or ends of intervals are cut."""
        return any(not warning.startswith((IGNORED, CUT)) for warning in self.warnings)


class PredictionService:
    """Applies models to files."""

    def __init__(self, library: Library, models: ModelService) -> None:
        self._library, self._models = library, models

    def open(self, model: str) -> tuple[str, Predictor]:
        """Return a label and a predictor for ``M``, ``M@V`` or a bundle's path. Raises NotFound, BadBundle."""
        from mldesk.bundles import Predictor  # onnxruntime loads with it

        if is_bundle(model):
            path = existing(Path(model))
            return path.name, Predictor.open(path)
        version = self._models.show(model)
        predictor = Predictor.from_manifest(version.manifest, self._library.objects)
        predictor.threshold = self._models.threshold(version.label)
        return version.label, predictor

    def predict(self, model: str, source: Path, output: Path, *, level: float | None = None,
                keep: Sequence[str] | None = (), keep_keys: bool = False, strict: bool = False,
                rejects: Path | None = None, replace: bool = False, clean: bool = False,
                progress: Callable[[int], None] | None = None, named: str = "",
                written_down: bool = True) -> PredictionReport:
        """Predict every row of ``source`` into ``output`` (.csv, .parquet, .jsonl or .xlsx), whole or not at all.

        ``level``: also what holds the truth in at least that share of rows, see ``Predictor.predict``. ``keep``:
        columns of the input that are written before the predictions, None for all of them; ``keep_keys``: also those
        that tell rows apart. ``replace``: a file that is there may be lost; without it only one that was predicted, and
        not changed since, gives way. ``progress`` hears the rows done so far. What breaks the contract of the dataset
        that the model learned from (in a bundle: the one that came with it) is among the warnings; ``strict`` refuses
        it, ``rejects`` (.csv) takes the rows that break it or hold what the model cannot read, and has predictions
        numbered by the file's rows, in a last column "row". ``clean``: the rows
        are as they were before cleaning, and the recipes of the model's table are done to them first.
        ``named``: what the rows are called, where the file is not the user's own. ``written_down``: it comes into the
        history of predictions.
        Raises NotFound, BadInput (wrong columns, unreadable file), Conflict where a file would be lost, DiskFull.
        """
        from mldesk.workbench.table_output import TableOutput

        self._check_places(model, source, output, rejects, replace)
        label, predictor = self.open(model)
        if level is not None:
            predictor.margins_for(level)
        from mldesk.data import read_like  # duckdb and pyarrow load with it
        from mldesk.data.engine import free_name
        from mldesk.workbench.left_over import LeftOver

        rows, columns, asked, digest = 0, (), source, _digest(source)  # type: int, tuple[str, ...], Path, str
        with working_folder(self._library.home.scratch, "mldesk-rows") as folder:
            chain = self.cleaning(model)
            read_as = self._read_as(model, predictor)
            cleaned = None if not clean else clean_rows(
                self._library, chain, predictor, source, folder, also=keep, leaves_out=rejects is not None,
                strict=strict, options=read_as)
            with _offering(chain, clean, rejects is not None):
                source, said, lost = self._guarded(model, predictor, source, cleaned, rejects, folder, strict,
                                                    read_as)
                if lost and said and not clean and chain.usable:
                    said = (*said, _cleaning_first(chain))
            with ExitStack() as stack:
                with _offering(chain, clean, rejects is not None):
                    batches = stack.enter_context(read_like([source], predictor.schema, read_as, scratch=folder,
                                                            called=named or asked.name))
                table = stack.enter_context(TableOutput(output))
                have = [*(item.name for item in predictor.schema if item.name not in batches.missing), *batches.extra]
                keys = tuple(name for name in predictor.keys if name in have)
                called = {} if cleaned is None else {there: name for name, there in cleaned.called.items()}
                place_of = {called.get(name, name): name for name in have}
                kept = list(place_of) if keep is None else _present(
                    [*(keys if keep_keys else ()), *keep], list(place_of),
                    lambda name: cleaned.hint(name, chain, predictor) if cleaned is not None else "")
                of_no_matter = {*(place_of[name] for name in kept), *keys} - {item.name for item in predictor.schema}
                numbers = None if rejects is None else LeftOver(folder / _REASONS, cleaned)
                stack.enter_context(_offering(chain, clean, rejects is not None))
                for batch in batches:
                    given = {name: batch.column(name) for name in batch.schema.names}
                    asking = {name: values for name, values in given.items() if name not in of_no_matter}
                    answer = _beside(predictor.predict(asking, level), {name: given[place_of[name]] for name in kept})
                    if numbers is not None:   # last, so that whoever reads by places finds the others where they were
                        answer[free_name("row", answer)] = numbers.next(batch.num_rows)
                    columns = tuple(answer)
                    table.write(answer)
                    rows += batch.num_rows
                    if progress is not None:
                        progress(rows)
                noticed = dict.fromkeys([*said, *(problem.message for problem in batches.problems),
                                         *predictor.warnings])
            if rejects is not None:   # also without a row, so that none of an earlier run stays there
                with disk_errors("the rejects file"):
                    shutil.copyfile(Path(folder, _REJECTS), rejects)
        options: dict[str, Any] = {"level": level, "keep": list(kept), "strict": strict, "clean": clean}
        if predictor.threshold is not None:
            options["threshold"] = predictor.threshold.to_json()
        if rejects is not None:
            options.update(rejects=str(rejects.resolve()), rejects_digest=_digest(rejects))
        told = [] if not written_down else self._write_down(
            model, label, named or str(asked.resolve()), digest, output, rows, lost, options)
        return PredictionReport(label, rows, columns, output, (*noticed, *told), lost,
                                "" if predictor.threshold is None else predictor.threshold.in_words(), keys)

    def predict_rows(self, model: str, source: str, output: Path, *, stream: BinaryIO | None = None,
                     **wishes: Any) -> PredictionReport:
        """Predict the rows of a file, of a dataset (``N`` or ``N@V``), or of ``stream`` where ``source`` is "-".

        ``wishes`` are those of ``predict``, which this raises as, too.
        """
        with given_rows(self._library, source, stream) as (path, named):
            return self.predict(model, path, output, named=named, **wishes)

    def made(self, model: str = "") -> list[PredictionRecord]:
        """Return the files of predictions that were written, newest first; with ``model``, by that one.

        Raises NotFound.
        """
        return self._library.predictions.list(self._models.show(model).model if model else "")

    def state_of(self, record: PredictionRecord) -> str:
        """Say whether a file still is what was written: "unchanged", "changed" or "gone". Reads all of it."""
        path = Path(record.output)
        if not path.is_file():
            return "gone"
        return "unchanged" if _digest(path) == record.output_digest else "changed"

    def _check_places(self, model: str, source: Path, output: Path, rejects: Path | None, replace: bool) -> None:
        """Raise where a file could not be written, or another would be lost, before anything is done."""
        if output.suffix.lower() not in OUTPUTS:
            raise BadInput(f"Predictions cannot be written to {output.name[-60:]!r}: its extension says no format.",
                           hint=f"Name the output with one of {', '.join(OUTPUTS)}.")
        check_target(output)
        existing(source)
        _refuse_overwriting(output, {source: "the file of rows", **({Path(model): "the model"} if is_bundle(model)
                                                                    else {})})
        if rejects is not None:
            _check_rejects(rejects, source, output)
        for path in (output, *([] if rejects is None else [rejects])):
            refuse_library(path, self._library.home.root)
            if not replace and not self._may_go(path):
                raise would_be_lost(path)

    def _may_go(self, path: Path) -> bool:
        """Say whether nothing is lost with ``path``: it is not there, empty, or a prediction that can be made again."""
        if not path.exists() or (path.is_file() and not loses(path)):
            return True
        place = str(path.resolve())
        for record in self._library.predictions.list():
            if place == record.output:
                return self._is_there(record.source) and self.state_of(record) == "unchanged"
            if place == record.options.get("rejects"):
                return self._is_there(record.source) and _digest(path) == record.options.get("rejects_digest")
        return False

    def _is_there(self, source: str) -> bool:
        """Say whether the rows of a prediction can be read again."""
        try:
            return Path(source).is_file() or bool(dataset_of(self._library, source))
        except NotFound:
            return False

    def _write_down(self, model: str, label: str, source: str, digest: str, output: Path, rows: int, lost: int,
                    options: Mapping[str, Any]) -> list[str]:
        """Keep what was predicted in the history; return a sentence where that does not work, as the file is there."""
        manifest = _digest(Path(model)) if is_bundle(model) else self._models.show(label).manifest
        try:
            self._library.predictions.add(
                model=label, manifest=manifest, source=source, source_digest=digest,
                output=str(output.resolve()), output_digest=_digest(output), rows=rows, left_out=lost, options=options)
        except MldeskError as error:
            return [f"It is not in the history of predictions: {error.message}"]
        return []

    def _guarded(self, model: str, predictor: Predictor, source: Path, cleaned: Cleaned | None, rejects: Path | None,
                 folder: Path, strict: bool, read_as: ImportOptions) -> tuple[Path, tuple[str, ...], int]:
        """Hold the rows against the contract: which file is read, what is said, how many rows are left out."""
        if cleaned is not None:
            source = cleaned.rows
        (folder / "good").mkdir()
        divided = Divided(folder / "good" / f"{source.stem}.parquet", folder / _REASONS, folder / "lines.csv")
        found = guard(self.held_to(model, predictor), predictor.schema, source, folder,
                      divided if rejects is not None else None, read_as)
        if found is not None and found.all_left_out and rejects is not None:   # what is wrong with each is wanted most
            _write_rejects(found, divided, cleaned, folder)
            with disk_errors("the rejects file"):
                shutil.copyfile(folder / _REJECTS, rejects)
            found.refuse(rejects.name)
        if found is not None and strict:
            found.refuse()
        said = (*(cleaned.notes if cleaned is not None else ()), *(found.said() if found is not None else ()))
        lost = (cleaned.left_out if cleaned is not None else 0) + (found.left_out if found is not None else 0)
        if rejects is not None:
            _write_rejects(found, divided, cleaned, folder)
        return (divided.good if found is not None and found.left_out else source), said, lost

    def _read_as(self, model: str, predictor: Predictor) -> ImportOptions:
        """Return how rows are read that leave it open: as those were that the model learned from."""
        return as_imported(self._library, None if is_bundle(model) else self._models.show(model), predictor).options()

    def cleaning(self, model: str) -> Chain:
        """Return what was done to the rows that a model learned from, for those it is to predict.

        Raises NotFound, BadBundle.
        """
        if is_bundle(model):
            return Chain(self._models.inspect(Path(model)).recipes)
        return chain_of(self._library, self._models.show(model))

    def why_cleaned(self, model: str, source: Path) -> str:
        """Say why the rows of a file seem to be cleaned already as the model's were, "" where they do not.

        Raises NotFound, BadBundle, BadInput.
        """
        chain = self.cleaning(model)
        return why_cleaned(self._library, chain, self.open(model)[1], existing(source)) if chain.recipes else ""

    def held_to(self, model: str, predictor: Predictor) -> RowContract | None:
        """Return what rows for a model, or a bundle, are held to. Raises NotFound, BadBundle."""
        return held_to(self._library, None if is_bundle(model) else self._models.show(model), predictor)


def _write_rejects(found: Guarded | None, divided: Divided, cleaned: Cleaned | None, folder: Path) -> None:
    """Write the rows that are left out, by the rows of the file as it was before cleaning."""
    from mldesk.data.contracts.rejects import AsRead, in_the_file, write_rejects

    reasons = [divided.reasons] if found is not None and found.left_out else []
    if cleaned is None:
        read = found.read if found is not None and found.read is not None else AsRead()
        write_rejects(read, reasons, divided.lines, folder / _REJECTS, folder)
        return
    mapped = [folder / "mapped.parquet"] if reasons else []
    for path in reasons:
        in_the_file(path, cleaned.places, mapped[0], folder)
    write_rejects(cleaned.read, [*cleaned.reasons, *mapped], cleaned.lines, folder / _REJECTS, folder)


@contextmanager
def _offering(chain: Chain, clean: bool, leaves_out: bool) -> Iterator[None]:
    """Say of rows that do not fit what may be done if they are as they were before cleaning."""
    try:
        yield
    except BadInput as error:
        if leaves_out and "--rejects" in error.hint:   # it was said, and is no help
            error.hint = "Mend it: leaving rows out is no help here."
        if clean or not chain.usable:
            raise
        raise BadInput(error.message, hint=f"{error.hint} {_cleaning_first(chain)}".strip()) from error


def _cleaning_first(chain: Chain) -> str:
    return f"If these are rows as they were before {chain.label} was cleaned, have them cleaned first (--clean)."


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _present(names: Sequence[str], have: Sequence[str], hint: Callable[[str], str]) -> list[str]:
    """Return the columns to keep, each once. Raises BadInput for one that is not there, with a ``hint`` if there is."""
    for name in names:
        if name not in have:
            raise BadInput(f"The input has no column {name[:80]!r} to keep.",
                           hint=hint(name) or did_you_mean(name, have) or f"It has: {listed(have)}.")
    return list(dict.fromkeys(names))


def _beside(answer: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns of the input before the predictions, under names of their own."""
    named: dict[str, Any] = {}
    for name, values in kept.items():
        own = name
        while own in answer or own in named:
            own = f"input_{own}"
        named[own] = values
    return {**named, **answer}


def _check_rejects(rejects: Path, source: Path, output: Path) -> None:
    """Raise where rows that are left out could not be written to ``rejects``, before anything is done."""
    if rejects.is_dir() or not rejects.parent.is_dir():
        raise NotFound(f"{str(rejects)!r:.300} is no place for a file of rejects.", hint="Name a file in a folder.")
    if rejects.resolve() in (source.resolve(), output.resolve()) or (rejects.exists() and rejects.samefile(source)):
        raise BadInput(f"The rejects file {rejects.name} is the input or the output itself.",
                       hint="Name another file with --rejects.")


def _refuse_overwriting(output: Path, inputs: Mapping[Path, str]) -> None:
    """Raise BadInput where writing ``output`` would replace one of ``inputs``, whatever its name is."""
    for path, what in inputs.items():  # links of both kinds lead to the same file
        if output.exists() and path.exists() and output.samefile(path):
            raise BadInput(f"The output {output.name} is {what} itself, which would be lost.",
                           hint="Name another file with -o.")


def is_bundle(model: str) -> bool:
    """Say whether ``model`` means a file rather than a name in the library."""
    return model.endswith(SUFFIX) or "/" in model or "\\" in model
