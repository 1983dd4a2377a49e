"""MLDesk: train, compare and share models from a desk. Importing this package imports nothing else."""

import os

__version__ = "0.1.0"

# Nothing leaves this machine unasked. onnxruntime reports its sessions to its maker unless this is set before it is
# imported, which may happen in any process of ours: the trainer, a prediction, a server.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
