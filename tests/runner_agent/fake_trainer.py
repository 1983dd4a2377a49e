"""A trainer of a few lines: reports 1..N as metrics, and misbehaves as its job's payload says.

payload: {"steps": N, "delay": seconds between steps, "end": see below, "deaf": to which stops, "print": text,
          "artifact": bytes of an object it makes before its first step, "checkpoints": true, "family": true}
end: "succeeded" (default), "failed", "exit:<code>", "signal:<number>", "silent" (exit 0 without a word), "hang"
With "checkpoints" it goes on from the last step of the attempt before, which it keeps as the real one does: after every
step, and on SIGTERM. With "family" it has children of every kind, who do not listen. Its device is what it may see.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
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
        os.environ.update(order["environment"])
    else:
        folder, attempt = Path(sys.argv[1]), int(os.environ["MLDESK_ATTEMPT"])
    work(folder, attempt, json.loads((folder / "spec.json").read_bytes())["payload"])


def work(folder: Path, attempt: int, payload: dict) -> None:
    if "SIGTERM" in payload.get("deaf", []):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(folder / "starts", "ab") as starts:
        starts.write(b"x")
    spool = Spool(folder / f"spool.{attempt}")
    done = newest_step(folder)
    asked_to_go: list[int] = []
    if payload.get("checkpoints"):
        signal.signal(signal.SIGTERM, lambda *_: asked_to_go.append(1))
    if payload.get("family"):
        start_family()
    spool.say("started", attempt=attempt, pid=os.getpid(), host="here", device=os.environ["CUDA_VISIBLE_DEVICES"],
              resumed_from=done or None)
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
            keep_checkpoint(folder / "checkpoints", step)
            if asked_to_go:
                os._exit(143)
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


def newest_step(folder: Path) -> int:
    return max((int(path.name.split("-")[1]) for path in (folder / "checkpoints").glob("[0-9]*")), default=0)


def keep_checkpoint(folder: Path, step: int) -> None:
    draft = folder / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    (draft / "facts.json").write_text(json.dumps({"step": step}))
    digest = hashlib.sha256((draft / "facts.json").read_bytes()).hexdigest()
    (draft / "hashes.json").write_text(json.dumps({"facts.json": digest}))
    draft.rename(folder / f"{step:06d}-{step}")
    for old in sorted(folder.glob("[0-9]*"))[:-2]:
        shutil.rmtree(old)


DEAF = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(600)"


def start_family() -> None:
    """A data loader's worker, one in a session of its own, and a daemon that left its parents and environment."""
    deaf = [sys.executable, "-c", DEAF]
    subprocess.Popen(deaf)
    subprocess.Popen(deaf, start_new_session=True)
    daemon = f"import subprocess; subprocess.Popen({deaf!r}, start_new_session=True, env={{}})"
    subprocess.run([sys.executable, "-c", daemon], check=True, start_new_session=True, env={})


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
