"""A trainer of a few lines: reports 1..N as metrics, and misbehaves as its job's payload says.

payload: {"steps": N, "delay": seconds between steps, "end": see below, "deaf": to which stops, "print": text,
"artifact": bytes of an object it makes before its first step}
end: "succeeded" (default), "failed", "exit:<code>", "signal:<number>", "silent" (exit 0 without a word), "hang"
It goes on from the last step of the attempt before, which it keeps in checkpoints/step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    if sys.argv[1] == "--warm":
        os.write(1, b"ready\n")
        line = sys.stdin.readline()
        if not line:
            return
        order = json.loads(line)
        folder, attempt = Path(order["job"]), order["attempt"]
    else:
        folder, attempt = Path(sys.argv[1]), int(os.environ["MLDESK_ATTEMPT"])
    work(folder, attempt, json.loads((folder / "spec.json").read_bytes())["payload"])


def work(folder: Path, attempt: int, payload: dict) -> None:
    if "SIGTERM" in payload.get("deaf", []):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(folder / "starts", "ab") as starts:
        starts.write(b"x")
    spool = Spool(folder / f"spool.{attempt}")
    done = int((folder / "checkpoints" / "step").read_text()) if (folder / "checkpoints" / "step").exists() else 0
    spool.say("started", attempt=attempt, pid=os.getpid(), host="here", device="cpu", resumed_from=done or None)
    print(payload.get("print", "hello from the trainer"), flush=True)
    if payload.get("artifact") and not done:
        artifact(spool, payload["artifact"])
    for step in range(done + 1, payload.get("steps", 5) + 1):
        asked = control(folder)
        if asked == "cancel" and "cancel" not in payload.get("deaf", []):
            spool.say("cancelled", cause="cancelled", message="Cancelled.")
            return
        if asked == "finish":
            spool.say("succeeded", result={"finished_early": True, "steps": step - 1})
            return
        spool.say("metrics", step=step, epoch=None, seconds=0.0, values={"train_loss": 1.0 / step})
        if payload.get("checkpoints"):
            part = folder / "checkpoints" / ".part"
            part.write_text(str(step))
            part.rename(folder / "checkpoints" / "step")
        time.sleep(payload.get("delay", 0.0))
    end(spool, payload.get("end", "succeeded"), payload)


def artifact(spool: Spool, size: int) -> None:
    from mldesk.wire.objects import ObjectStore  # few jobs need it, and it takes a while

    digest = ObjectStore(Path(sys.argv[sys.argv.index("--objects") + 1])).put_bytes(os.urandom(size))
    spool.say("artifact", name="evaluation", digest=digest, size=size, type="bytes")


def end(spool: Spool, how: str, payload: dict) -> None:
    if how == "succeeded":
        spool.say("succeeded", result={"finished_early": False, "steps": payload.get("steps", 5)})
    elif how == "failed":
        spool.say("failed", cause="user_error", message="The data does not allow it.", hint="Use other data.")
    elif how.startswith("exit:"):
        print("Traceback: something broke", flush=True)
        os._exit(int(how[5:]))
    elif how.startswith("signal:"):
        signal.signal(int(how[7:]), signal.SIG_DFL) if int(how[7:]) != signal.SIGKILL else None
        os.kill(os.getpid(), int(how[7:]))
    elif how == "hang":
        time.sleep(600)


def control(folder: Path) -> str:
    try:
        return (folder / "control").read_text()
    except FileNotFoundError:
        return ""


class Spool:
    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.n = 0

    def say(self, kind: str, **payload: object) -> None:
        self.n += 1
        os.write(self.handle, json.dumps({"n": self.n, "time": time.time(), "kind": kind, **payload}).encode() + b"\n")


if __name__ == "__main__":
    main()
