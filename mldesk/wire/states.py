"""The states a job goes through and the causes a state is given (``design``: state and reason are two fields)."""

from __future__ import annotations

from enum import Enum


class JobState(str, Enum):
    """Where a job is. Silence of a runner never changes it; only the job's journal does."""

    CREATED = "created"          # known to the desktop only
    QUEUED = "queued"            # durably accepted by a runner
    STAGING = "staging"          # inputs are being brought to the runner
    PREPARING = "preparing"      # the environment is being made, the trainer is starting
    RUNNING = "running"
    STOPPING = "stopping"        # cancel or finish-now was asked for and is under way
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # ended by something outside the job; may be resumed
    LOST = "lost"                # the runner has no trace of it any more

    @property
    def ended(self) -> bool:
        """No process works on it. An interrupted job may start again, the other ends are final."""
        return self in _ENDED

    @property
    def final(self) -> bool:
        """It will never change again."""
        return self in _ENDED and self is not JobState.INTERRUPTED

    @property
    def resumable(self) -> bool:
        return self is JobState.INTERRUPTED


_ENDED = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED, JobState.LOST}


class Cause(str, Enum):
    """Why a job is in its state."""

    USER_ERROR = "user_error"            # the data or the parameters do not allow it
    CANCELLED = "cancelled"              # the user asked
    GPU_OOM = "gpu_oom"
    HOST_OOM = "host_oom"
    DISK_FULL = "disk_full"
    NODE_REBOOT = "node_reboot"
    KILLED_EXTERNAL = "killed_external"  # a signal that MLDesk did not send
    ENV_FAILED = "env_failed"
    DATA_MISSING = "data_missing"
    TIMEOUT = "timeout"
    UNKILLABLE = "unkillable"            # its processes do not die, whatever is done
    MOVED = "moved"                      # released here, to go on at another runner
    PAUSED = "paused"                    # the user asked; it goes on when the user says so
    FINISHING = "finishing"              # of a run that is stopping: the user wants what there is by now
    DIVERGED = "diverged"                # its loss is no number any more: the parameters are to be chosen otherwise
    CHECKPOINT_DAMAGED = "checkpoint_damaged"   # no checkpoint that it was to go on from can be read
    INTERNAL = "internal"                # our own fault; the log has the traceback
