"""The ONNX graph at work: onnxruntime, opened from bytes and asked for one output."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mldesk.bundles.names import GRAPH
from mldesk.bundles.wire_scan import check_graph
from mldesk.core.cores import usable_cores
from mldesk.core.errors import BadBundle

INPUT = "features"
_ERRORS_ONLY = 3


class GraphSession:
    """A model's graph: features (N, F) float32 in, the named output out. Safe to use from several threads."""

    def __init__(self, graph: bytes, output: str, width: int, threads: int = 0, rows: int = 0) -> None:
        """``threads`` 0: one for each core that this process may use; ``rows`` 0: any number at once.

        Raises BadBundle if the graph is not fit for it.
        """
        import onnxruntime  # slow; and what is only inspected needs none of it

        check_graph(graph)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = threads or usable_cores()   # its own count is the machine's
        options.inter_op_num_threads = 1
        # Waiting threads spin by default, which costs twice the time where another program wants their core.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its error types share no other base
            raise BadBundle(f"This bundle's {GRAPH} cannot be opened: {_first_line(error)}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [item.name for item in inputs] != [INPUT] or inputs[0].type != "tensor(float)":
            raise BadBundle(f"This bundle's {GRAPH} does not take {INPUT!r}, as bundles' graphs do.")
        if output not in [item.name for item in outputs]:
            raise BadBundle(f"This bundle's {GRAPH} does not give {output!r}, as the model's task demands.")
        if inputs[0].shape[1:] != [width]:
            raise BadBundle(f"This bundle's {GRAPH} takes {inputs[0].shape[1:]} numbers a row; its preprocessing "
                            f"makes {width}.")
        self._output, self._rows = output, rows

    def run(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return (N, outputs) float32. Raises BadBundle if the graph breaks on these rows."""
        if not self._rows or len(features) <= self._rows:
            return self._run(features)
        return np.concatenate([self._run(features[at:at + self._rows]) for at in range(0, len(features), self._rows)])

    def _run(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        try:
            result: Any = self._session.run([self._output], {INPUT: features})[0]
        except Exception as error:  # as above
            raise BadBundle(f"This bundle's {GRAPH} does not run: {_first_line(error)}") from error
        if not isinstance(result, np.ndarray) or result.dtype != np.float32 or result.ndim not in (1, 2) or (
                len(result) != len(features)):
            raise BadBundle(f"This bundle's {GRAPH} gives something else than a number per row and class.")
        return result if result.ndim == 2 else result[:, None]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
