"""Start a runner here (later: over SSH), talk to it, follow its jobs."""

from mldesk.runners.client import RunnerClient
from mldesk.runners.local import LocalRunner

__all__ = ["LocalRunner", "RunnerClient"]
