"""The command line: refine, evaluate, models, jobs, serve.

What was asked for goes to stdout; progress, notices and errors go to stderr, so a pipe carries results alone. Progress bars are drawn on a
terminal only. With ``--json-events`` stdout carries one JSON object a line and nothing else:

    {"event": "notice", ...}, {"event": "progress", ...}    as `engine.api.messages` states them
    {"event": "picture", "number", "count", "id"}           evaluate: a picture begins
    {"event": "download", "name", "bytes_done", "bytes"}    models get: bytes so far
    {"event": "model", ...}                                 models: one known model
    {"event": "job", ...}                                   jobs: one job of the shared engine
    {"event": "result", ...}                                the last line of a run that gave something
    {"event": "error", "kind", "code", "sentence", "hint"}  the last line of one that did not

Exit status: 0 done; 2 wrong request, 3 cannot write, 4 models, 5 device, 6 numbers, 7 shared engine (see `engine.api.errors`); 70 a fault in
Re-Depth itself; 130 stopped by Ctrl-C, with what was reached kept where something was.
"""
