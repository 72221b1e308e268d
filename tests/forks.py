"""Runs a program again and again, each time in a fork of this process, which has its imports.

Words: the program, as `python -m` knows it, and the modules to import once. A request is a line of
JSON on stdin: words, folder, environment, files for stdout and stderr; its answer is the exit code,
a line on stdout. Most of the time of a plan, or of a small set of structures, is imports.
"""

import gc
import importlib
import json
import os
import runpy
import sys


def become(request: dict) -> None:
    """What a new process of the program starts with."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    streams = [os.open(os.devnull, os.O_RDONLY)]
    streams += [os.open(request[name], os.O_WRONLY | os.O_CREAT) for name in ("stdout", "stderr")]
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    sys.argv = [program, *request["words"]]
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [os.getcwd(), *(place for place in places if place and place not in sys.path)]


program, *modules = sys.argv[1:]
for name in modules:
    importlib.import_module(name)
gc.freeze()  # a fork that collects would copy all of it
for line in sys.stdin:
    child = os.fork()
    if not child:
        become(json.loads(line))
        break
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
else:
    sys.exit()
runpy.run_module(program, run_name="__main__", alter_sys=True)
