"""The shared engine: a listener without torch, the queue and folders of jobs, and the worker process that it supervises.

    listener ── threads, one a client ── answers ── job_list ── job_folder
        └────── supervisor ── child ═══ worker (a process of its own: torch and the models)

The protocol is specified in `engine.api.messages`. Everything that two threads touch lives in `JobList` and is guarded by its ``changed``.
"""
