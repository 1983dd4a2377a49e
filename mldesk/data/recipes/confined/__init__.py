"""A process that runs a user's function and may do nothing else: ``python -m mldesk.data.recipes.confined``.

On Linux four things hold it, each by itself: limits of the kernel (processor time, memory, no file may grow), Landlock
(no file but Python's own can be opened; no connection; no signal to others), a seccomp filter (only the calls that
computing needs), and Python's audit hooks, which alone know what to call it in a sentence. On other systems only the
first, as far as they go there, and the last are there; audit hooks stop what is meant well, not what is meant ill.
"""
