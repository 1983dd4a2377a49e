"""Where the tests' real data lies: the folder that is shared beside the checkout."""

import os
from pathlib import Path

SHARED = Path(os.environ.get("MLDESK_TEST_DATA", "") or Path(__file__).resolve().parents[2] / "shared" / "data")
