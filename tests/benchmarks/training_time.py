"""The fit itself, every kind of model: MLDesk's estimator against the bare library with the same settings.

Both fit the same encoded rows of adult.csv in one process, turn about: ours with all that a run has around it (events
on disk, a thread that listens, one that watches the machine, checkpoints), the bare library with nothing. Either ends
with the validation rows predicted. Ratios are by the processor's time, which other work on the machine bends little,
and by the clock; of each the middle one of the rounds. Networks and the ordinal model have no library beside them: the
bare side is a plain loop over the same network, and scipy's minimiser with the same loss.
usage: python -m tests.benchmarks.training_time [KIND...] [--rounds N] [--rows N] [--json] (--help names the kinds)
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # the same for both sides

import numpy as np
import pyarrow.csv as csv
from threadpoolctl import threadpool_limits

from mldesk.training.catalogue import CLASSIFICATION, ESTIMATORS, REGRESSION
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.features import FeatureEncoder
from mldesk.training.fitting import fit
from mldesk.training.parameters import resolve
from mldesk.training.resources import ResourceWatch
from mldesk.training.split import TRAIN, VALIDATION, make_split
from mldesk.training.table import read_columns
from mldesk.training.target import read_target
from mldesk.training.values import take
from mldesk.wire.control import Control
from mldesk.wire.job_spool import Spool
from mldesk.wire.jobs import SplitRequest
from mldesk.wire.report import Report
from tests.benchmarks._report import median, report
from tests.data_folder import SHARED
from tests.training.jobs import Table, put_table

ROUNDS, ROWS = 3, 12_000
NUMBER, ORDERED = "hours-per-week", "education-num"   # targets: a number, and classes with an order


@dataclass(frozen=True)
class Case:
    """What is fitted: an estimator of the catalogue with its settings, and on how much."""

    estimator: str
    given: dict[str, Any]
    target: str = "income"
    copies: int = 1     # how often the rows are taken: where the bare fit is over at once, what each fit costs counts
    threads: int = 2    # 1 where the threads of BLAS, which turn while they wait, would be most of what is measured

    @property
    def classes(self) -> bool:
        return self.target != NUMBER

    def settings(self) -> dict[str, Any]:
        """Return every parameter's value; without the second fit, which the bare library does not do."""
        entry = ESTIMATORS[self.estimator]
        once = {"refit": False} if any(item.name == "refit" for item in entry.parameters) else {}
        return resolve(entry.parameters, {**self.given, **once})


CASES = {
    "lightgbm": Case("lightgbm", {"rounds": 400, "patience": None}),
    "quantile": Case("lightgbm", {"rounds": 400, "patience": None, "quantile": 0.9, "row_fraction": 1.0}, NUMBER),
    "xgboost": Case("xgboost", {"rounds": 400, "patience": None}),
    "catboost": Case("catboost", {"rounds": 400, "patience": None}),
    "hist_gradient_boosting": Case("hist_gradient_boosting", {"rounds": 150, "patience": None}),
    "random_forest": Case("random_forest", {"trees": 200}),
    "extra_trees": Case("extra_trees", {"trees": 200}),
    "decision_tree": Case("decision_tree", {"max_depth": 10}, copies=20),
    "logistic": Case("linear", {"regularization": 1.0}, copies=8, threads=1),
    "ridge": Case("linear", {"regularization": 1.0}, NUMBER, copies=20, threads=1),
    "lasso": Case("linear", {"regularization": 300.0, "l1_share": 1.0}, NUMBER, copies=20, threads=1),
    "elastic_net": Case("linear", {"regularization": 300.0, "l1_share": 0.5}, NUMBER, copies=20, threads=1),
    "neighbors": Case("neighbors", {"neighbors": 15}),
    "naive_bayes": Case("naive_bayes", {"smoothing": 1e-9}, copies=20),
    "svm": Case("svm", {"strength": 1.0}),
    "ordinal": Case("ordinal", {"regularization": 1.0}, ORDERED, threads=1),
    "segments": Case("segments", {"segments": 3}, threads=1),
    "mlp": Case("mlp", {"epochs": 6, "patience": None}),
    "tabm": Case("tabm", {"epochs": 4, "patience": None, "members": 8}),
    "ft_transformer": Case("ft_transformer", {"epochs": 3, "patience": None}),
}


def main() -> None:
    """Print the seconds of both sides and their ratios."""
    given = _arguments()
    rounds, rows = given.rounds, given.rows
    lines: list[tuple[str, float, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        whole = csv.read_csv(SHARED / "tabular" / "adult.csv", convert_options=csv.ConvertOptions(
            null_values=["?"], strings_can_be_null=True))
        table = put_table(root, whole.slice(0, rows))
        for kind in given.kinds or CASES:
            if not ESTIMATORS[CASES[kind].estimator].installed:
                continue
            pairs = _measured(root, table, kind, rounds)
            for what, place in (("CPU", 0), ("clock", 1)):
                one, other = [ours[place] for ours, _ in pairs], [bare[place] for _, bare in pairs]
                ratios = [ours / bare for ours, bare in zip(one, other, strict=True)]
                lines += [(f"{kind}: MLDesk, {what}", median(one), "s"),
                          (f"{kind}: bare library, {what}", median(other), "s"),
                          (f"{kind}: ratio by {what}", median(ratios), "×")]
            print(*(f"{what} {value:.3g}" for what, value, _ in lines[-6:]), sep=", ", file=sys.stderr, flush=True)
    report("training_time", lines, {"rounds": rounds, "rows": rows})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.training_time",
                                     description="Time fits of MLDesk's against the bare library's.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(CASES)}; without one all of them")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements of each (default: %(default)s)")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the table, at most (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    if unknown := sorted(set(given.kinds) - CASES.keys()):
        parser.error(f"there is no {', '.join(unknown)}; choose of {', '.join(CASES)}")
    if min(given.rounds, given.rows) < 1:
        parser.error("--rounds and --rows count from 1")
    return given


def _measured(root: Path, table: Table, kind: str, rounds: int) -> list[tuple[tuple[float, float], ...]]:
    """Return what ours and the bare library took in each round, which of the two comes first by turns."""
    case = CASES[kind]
    data = _encode(table, case)
    sides: tuple[Callable[[], object], ...] = (
        lambda: _ours(root, data, case), lambda: _BARE.get(kind, _bare_network)(data, case))
    pairs = []
    with threadpool_limits(case.threads):
        for side in sides:
            side()   # imports and first calls count for nobody
        for number in range(rounds):
            taken = [_timed(side) for side in (sides if number % 2 else sides[::-1])]
            pairs.append(tuple(taken if number % 2 else taken[::-1]))
    return pairs


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of processor and of clock that ``work`` takes."""
    began = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - began[0], time.perf_counter() - began[1]


def _encode(table: Table, case: Case) -> dict[str, Any]:
    columns = read_columns(table.store, table.manifest, table.columns)
    column = next(item for item in table.columns if item.name == case.target)
    target = read_target(columns.pop(case.target), column, CLASSIFICATION if case.classes else REGRESSION)
    membership = make_split(target, SplitRequest())
    encoder = FeatureEncoder.fit(take(columns, membership == TRAIN),
                                 [item for item in table.columns if item is not column],
                                 load_estimator(ESTIMATORS[case.estimator]).style)
    parts = {name: np.tile(encoder.transform(take(columns, membership == part)), (case.copies, 1))
             for name, part in (("x", TRAIN), ("x_validation", VALIDATION))}
    return {**parts, "y": np.tile(target.y[membership == TRAIN], case.copies),
            "y_validation": np.tile(target.y[membership == VALIDATION], case.copies),
            "classes": len(target.classes), "categorical": encoder.categorical}


def _ours(root: Path, data: dict[str, Any], case: Case) -> None:
    """Fit as a run does, with everything that a run has around its fit."""
    spool = Spool(root / "spool")
    told = Report(spool)
    control, watch = Control(root / "control", lambda: None, lambda: None), ResourceWatch(told)
    control.start()
    watch.start()
    fit(load_estimator(ESTIMATORS[case.estimator]), FitContext(
        classes=data["classes"], parameters=case.settings(), train=Part(data["x"], data["y"]),
        validation=Part(data["x_validation"], data["y_validation"]), report=told, control=control,
        checkpoints=Checkpoints(root / "checkpoints", lambda _step, _name: None), categorical=data["categorical"],
        threads=case.threads))
    for part in (watch, control, spool):
        part.close()
    (root / "spool").unlink()
    shutil.rmtree(root / "checkpoints", ignore_errors=True)


def _bare_lightgbm(data: Any, case: Case) -> None:
    import lightgbm

    given = case.settings()
    aim = {"objective": "binary", "metric": ["binary_logloss", "binary_error"], "num_leaves": 20}
    if not case.classes:
        aim = {"objective": "quantile", "alpha": given["quantile"], "metric": ["quantile", "l2"], "num_leaves": 31}
    settings = {
        **aim, "learning_rate": given["learning_rate"],
        "min_data_in_leaf": given["min_samples_leaf"], "lambda_l2": given["l2"], "verbosity": -1,
        "feature_fraction_bynode": given["feature_fraction"], "num_threads": case.threads, "seed": 0,
        "deterministic": True, "force_col_wise": True,
    }
    train = lightgbm.Dataset(data["x"], data["y"])
    validation = lightgbm.Dataset(data["x_validation"], data["y_validation"], reference=train)
    booster = lightgbm.train(settings, train, given["rounds"], valid_sets=[validation],
                             callbacks=[lightgbm.early_stopping(10_000, verbose=False)])
    booster.predict(data["x_validation"])


def _bare_network(data: Any, case: Case) -> None:
    import torch
    from torch import nn

    from mldesk.training.estimators.columns import describe
    from mldesk.training.estimators.network import build
    from mldesk.training.estimators.torch_fit import _batch_size

    given = case.settings()
    torch.set_num_threads(case.threads)
    torch.manual_seed(0)
    shape = {name: given[name] for name in ("width", "blocks", "dropout")}
    shape |= {"mlp": {"kind": "residual"}, "tabm": {"kind": "tabm", "members": given.get("members")},
              "ft_transformer": {"kind": "ft_transformer", "heads": 4}}[case.estimator]
    sizes = (given["number_embedding"],) if "number_embedding" in given else (given["width"], given["width"])
    network = build({**shape, **describe(data["x"], data["categorical"], 2, *sizes)})
    network.inputs.fit(data["x"], data["y"], 2, 0)
    averaging = torch.optim.swa_utils
    average = averaging.AveragedModel(network, multi_avg_fn=averaging.get_ema_multi_avg_fn(0.98))
    optimizer = torch.optim.AdamW(network.parameters(), lr=given["learning_rate"], weight_decay=given["weight_decay"],
                                  fused=True)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    held, truth = torch.from_numpy(data["x_validation"]), torch.from_numpy(data["y_validation"])
    for _ in range(given["epochs"]):
        network.train()
        for rows in torch.split(torch.randperm(len(x)), _batch_size(len(x))):
            output = network.raw(x[rows])
            loss = nn.functional.cross_entropy(output.flatten(0, 1), y[rows].repeat_interleave(output.shape[1]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), given["gradient_clip"])
            optimizer.step()
            average.update_parameters(network)
        average.eval()
        with torch.inference_mode():
            torch.cat([nn.functional.cross_entropy(average(part), wanted)[None] for part, wanted in zip(
                torch.split(held, 4096), torch.split(truth, 4096), strict=True)]).mean().item()


def _bare_xgboost(data: Any, case: Case) -> None:
    import xgboost

    given = case.settings()
    settings = {
        "objective": "binary:logistic", "eval_metric": ["logloss", "error"], "eta": given["learning_rate"],
        "max_depth": given["max_depth"], "lambda": given["l2"], "subsample": given["row_fraction"],
        "colsample_bynode": given["feature_fraction"], "tree_method": "hist", "nthread": case.threads, "seed": 0}
    train = xgboost.QuantileDMatrix(data["x"], data["y"], nthread=case.threads)
    held = xgboost.QuantileDMatrix(data["x_validation"], data["y_validation"], ref=train, nthread=case.threads)
    booster = xgboost.train(settings, train, given["rounds"], evals=[(held, "held")], verbose_eval=False)
    booster.predict(held)


def _bare_hist(data: Any, case: Case) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    given = case.settings()
    model = HistGradientBoostingClassifier(
        max_iter=given["rounds"], learning_rate=given["learning_rate"], max_leaf_nodes=20, random_state=0,
        min_samples_leaf=given["min_samples_leaf"], max_features=given["feature_fraction"], early_stopping=True,
        scoring="loss", n_iter_no_change=10_000)
    model.fit(data["x"], data["y"], X_val=data["x_validation"], y_val=data["y_validation"])
    model.predict_proba(data["x_validation"])


def _bare_forest(data: Any, case: Case) -> None:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    resampled = case.estimator == "random_forest"
    forest = (RandomForestClassifier if resampled else ExtraTreesClassifier)(
        case.given["trees"], min_samples_leaf=max(2, len(data["y"]) // 4000), n_jobs=case.threads,
        random_state=0, bootstrap=resampled)
    forest.fit(data["x"], data["y"])
    forest.predict_proba(data["x_validation"])


def _bare_catboost(data: Any, case: Case) -> None:
    import catboost

    given = case.settings()
    model = catboost.CatBoost({
        "loss_function": "Logloss", "custom_metric": ["Accuracy"], "iterations": given["rounds"],
        "learning_rate": given["learning_rate"], "depth": given["max_depth"], "l2_leaf_reg": given["l2"],
        "random_seed": 0, "thread_count": case.threads, "allow_writing_files": False, "logging_level": "Silent",
        "use_best_model": False, "boost_from_average": False})
    model.fit(catboost.Pool(data["x"], data["y"]), eval_set=catboost.Pool(data["x_validation"], data["y_validation"]))
    model.predict(data["x_validation"], prediction_type="Probability")


def _bare_tree(data: Any, case: Case) -> None:
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=10, min_samples_leaf=5, random_state=0).fit(data["x"], data["y"])
    tree.predict_proba(data["x_validation"])


def _bare_logistic(data: Any, case: Case) -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / case.given["regularization"], solver="newton-cholesky", max_iter=300)
    model.fit(data["x"].astype(np.float64), data["y"]).predict_proba(data["x_validation"])


def _bare_number(data: Any, case: Case) -> None:
    from sklearn.linear_model import ElasticNet, Ridge

    strength, share, rows = case.given["regularization"], case.given.get("l1_share", 0.0), len(data["y"])
    model: Any = Ridge(alpha=strength)
    if share:
        absolute, squared = strength * share * float(data["y"].std()), strength * (1 - share)
        model = ElasticNet(alpha=(absolute + squared) / rows, l1_ratio=absolute / (absolute + squared), max_iter=300)
    model.fit(data["x"].astype(np.float64), data["y"]).predict(data["x_validation"])


def _bare_neighbors(data: Any, case: Case) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(15, weights="distance", n_jobs=case.threads).fit(data["x"], data["y"])
    model.predict_proba(data["x_validation"])


def _bare_bayes(data: Any, case: Case) -> None:
    from sklearn.naive_bayes import GaussianNB

    GaussianNB(var_smoothing=1e-9).fit(data["x"].astype(np.float64), data["y"]).predict_proba(
        data["x_validation"].astype(np.float64))


def _bare_svm(data: Any, case: Case) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    x = data["x"].astype(np.float64)
    machine = SVC(C=1.0, gamma="scale", cache_size=500).fit(x, data["y"])
    margins = machine.decision_function(data["x_validation"].astype(np.float64))[:, None]
    LogisticRegression().fit(margins, data["y_validation"]).predict_proba(margins)   # Platt's chances, as ours


def _bare_segments(data: Any, case: Case) -> None:
    """One model for all, then k-means and a model per segment, the rows of others counting 0.02: as ours."""
    from sklearn.cluster import KMeans
    from sklearn.linear_model import LogisticRegression

    x, held = data["x"].astype(np.float64), data["x_validation"].astype(np.float64)
    LogisticRegression(max_iter=300).fit(x, data["y"]).predict_proba(held)
    means = KMeans(3, n_init=2, random_state=0).fit(x)
    for segment in range(3):
        model = LogisticRegression(max_iter=300)
        model.fit(x, data["y"], sample_weight=np.where(means.labels_ == segment, 1.0, 0.02)).predict_proba(held)


def _bare_ordinal(data: Any, case: Case) -> None:
    from mldesk.training.estimators.ordinal import Ordinal, _fit

    plain = SimpleNamespace(classes=data["classes"], parameters=case.settings(), row_weights=lambda _y: None,
                            control=SimpleNamespace(check=lambda: None))
    native = _fit(plain, Part(data["x"], data["y"]), case.given["regularization"], None)   # type: ignore[arg-type]
    Ordinal().predict(native, data["x_validation"], data["classes"])


_BARE: dict[str, Callable[[Any, Case], None]] = {   # networks have one of their own
    "lightgbm": _bare_lightgbm, "quantile": _bare_lightgbm, "xgboost": _bare_xgboost, "catboost": _bare_catboost,
    "hist_gradient_boosting": _bare_hist, "random_forest": _bare_forest, "extra_trees": _bare_forest,
    "decision_tree": _bare_tree, "logistic": _bare_logistic, "ridge": _bare_number, "lasso": _bare_number,
    "elastic_net": _bare_number, "neighbors": _bare_neighbors, "naive_bayes": _bare_bayes, "svm": _bare_svm,
    "ordinal": _bare_ordinal, "segments": _bare_segments}


if __name__ == "__main__":
    main()
