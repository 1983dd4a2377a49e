"""What leaves the trainer: native weights in safe formats, and the ONNX graph that predicts without the trainer.

Kinds are the names of the catalogue (``mldesk.training.catalogue``).
Importing this package imports no library; each function imports what its kind needs.

Labels: take the class with the largest *float32* probability, as the bundle does; a tie that is one only in float64
would otherwise fall the other way.
"""

from mldesk.training.export.convert import to_onnx
from mldesk.training.export.native import load_native, save_native
from mldesk.training.export.parity import TOLERANCE, deviation, onnx_parity

__all__ = ["TOLERANCE", "deviation", "load_native", "onnx_parity", "save_native", "to_onnx"]
