"""What ``mldesk search`` may be told, an option each."""

from __future__ import annotations

from typing import Annotated

import typer

from mldesk.cli.amounts import read_minutes
from mldesk.cli.train import ORDER_HELP, PREPARE_HELP, SPLIT_HELP

Reference = Annotated[str, typer.Argument(metavar="N[@V]", help="The dataset to learn from.")]
Target = Annotated[str, typer.Option(metavar="COL", help="The column to predict.")]
Minutes = Annotated[float, typer.Option(
    "--time", metavar="MIN", parser=read_minutes, show_default=False, help=(
        "Minutes the whole search may take, or a time like 20s or 1h; 10 where nothing else ends it."))]
Trials = Annotated[int, typer.Option(
    metavar="K", min=0, show_default=False, help=(
        "Models to try at most; as many as the time allows without it."))]
Metric = Annotated[str | None, typer.Option(
    metavar="M", help=(
        "What to strive for, by the name it has in --json or in tables: roc_auc or ROC AUC, log_loss, accuracy, "
        "balanced_accuracy, f1_macro, average_precision, recall_macro, RMSE, MAE, MAPE, R2, …; f1:yes, precision:yes "
        "or recall:yes is that of the class yes alone; what suits the task without it."))]
Quantile = Annotated[float | None, typer.Option(
    metavar="Q", help=(
        "Predict the value that this share of the rows stays below, 0.9 say; judged by the pinball loss."))]
TargetScore = Annotated[float | None, typer.Option(
    "--target-score", metavar="F", help=(
        "A score that is good enough, in --metric: the search ends there."))]
Models = Annotated[list[str] | None, typer.Option(
    metavar="M", help=(
        "A kind of model to try; may be repeated. All that make sense without it."))]
Single = Annotated[bool, typer.Option("--single", help="Keep the best model alone, and blend nothing.")]
Stack = Annotated[bool, typer.Option(
    "--stack", help=(
        "Learn from predictions out of fold: the blend's weights together, or a linear model over the others where "
        "that is better; trees over them would not agree with their ONNX graph."))]
StackColumns = Annotated[bool, typer.Option(
    "--stack-columns", help=(
        "A stack whose linear model over the others may look at the columns, too."))]
Refit = Annotated[bool, typer.Option(
    "--refit", help=(
        "Fit what is kept once more, on all rows but the test rows, instead of keeping the models of the folds."))]
Task = Annotated[str | None, typer.Option(metavar="T", help="tabular_classification or tabular_regression.")]
Order = Annotated[str, typer.Option(metavar="A,B,C", help=ORDER_HELP)]
Features = Annotated[list[str] | None, typer.Option(metavar="COL", help="A column to learn from; may be repeated.")]
Without = Annotated[list[str] | None, typer.Option(
    metavar="COL", help=(
        "A column not to learn from; may be repeated."))]
Parallel = Annotated[int, typer.Option(
    metavar="N", min=1, help=(
        "Models to try at once, each on its share of the cores."))]
Runners = Annotated[list[str] | None, typer.Option(
    metavar="R", help=(
        "The machine that does the work, or any; may be repeated to spread the search over several."))]
Priority = Annotated[int, typer.Option(metavar="N", min=-10, max=10, help="In that runner's queue.")]
Seed = Annotated[int, typer.Option(metavar="S", min=0, help="Of the split and of everything random.")]
TestSize = Annotated[float, typer.Option("--test-size", metavar="F", help="Share of rows for the test.")]
Split = Annotated[str, typer.Option(metavar="HOW", help=SPLIT_HELP)]
SplitColumn = Annotated[str | None, typer.Option(
    "--split-column", metavar="COL", help=(
        "The column that group, time and column go by."))]
Prepare = Annotated[str | None, typer.Option(metavar="FILE", help=(
    f"{PREPARE_HELP} A search tries none of its own pipelines beside them: these are made of all rows at once, such "
    "steps of each fold by itself."))]
RunName = Annotated[str, typer.Option(metavar="RUN", help="The run's name.")]
SaveAs = Annotated[str, typer.Option("--save-as", metavar="M", help="The model's name in the library.")]
