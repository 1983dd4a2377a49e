"""What the real MLflow does, in a process of its own (it starts threads and warns): ``python -m tests.mlflow_itself``.

    store FOLDER      writes runs by both of its stores: FOLDER/mlruns and FOLDER/sql/mlflow.db
    predict FOLDER    loads FOLDER/model by mlflow.pyfunc, predicts the rows of FOLDER/rows.json, prints JSON
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true", "DO_NOT_TRACK": "true",
               "GIT_PYTHON_REFRESH": "quiet"}


def store(folder: Path) -> None:
    import mlflow

    (folder / "sql").mkdir()
    os.chdir(folder / "sql")
    for uri in (f"file:{folder}/mlruns", "sqlite:///mlflow.db"):
        mlflow.set_registry_uri(f"file:{folder}/registry")
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("churn")
        with mlflow.start_run(run_name="outer", description="Why I did this."):
            mlflow.log_param("depth", 6)
            mlflow.set_tag("team", "blue")
            mlflow.log_metric("loss", 0.5, step=1)
            mlflow.log_metric("loss", 0.25, step=2)
            mlflow.log_text("hello", "notes/a.txt")
            with mlflow.start_run(run_name="inner", nested=True):
                mlflow.log_metric("loss", 0.125, step=1)


def predict(folder: Path) -> None:
    import mlflow
    import pandas as pd

    model = mlflow.pyfunc.load_model(str(folder / "model"))
    rows = pd.DataFrame(json.loads((folder / "rows.json").read_text("utf-8")))
    found = {"rows": model.predict(rows).to_dict("list"),
             "example": model.predict(model.input_example).to_dict("list"),
             "signature": model.metadata.signature.to_dict()}
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    {"store": store, "predict": predict}[sys.argv[1]](Path(sys.argv[2]))
