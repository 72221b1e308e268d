"""Runs a program, or scripts, again and again, each in a fork of this process with its imports.

Most of the time of a plan, of a small set of structures or of a small job is imports.

Words: the program, as `python -m` knows it, and the modules to import once. A request is a line of
JSON on stdin: words, folder, environment, files for stdout and stderr; its answer is the exit code,
a line on stdout.

Or --scripts, a socket and modules: each connection is a script that runs, as `tests/one_script.py`
asks for it, at the same time as others.
"""

import gc
import importlib
import json
import os
import runpy
import select
import socket
import sys


def become(request: dict, streams: list[int]) -> None:
    """What a new process starts with; streams: its stdin, stdout and stderr."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [os.getcwd(), *(place for place in places if place and place not in sys.path)]


def serve_program(program: str) -> None:
    """Returns in a fork that is to run the program; the end of stdin ends this process."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            request = json.loads(line)
            streams = [os.open(os.devnull, os.O_RDONLY)]
            files = (request["stdout"], request["stderr"])
            streams += [os.open(file, os.O_WRONLY | os.O_CREAT) for file in files]
            become(request, streams)
            sys.argv = [program, *request["words"]]
            if request["python"]:
                run_scripts_by(request["python"])
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    sys.exit()


def run_scripts_by(python: str) -> None:
    """Scripts of a workflow are run by a command in place of the interpreter."""
    from snakemake.script import PythonScript

    def execute_script(self, fname, edit=False):
        self._execute_cmd("{python} {fname:q}", python=python, fname=fname, is_python_script=True)

    PythonScript.execute_script = execute_script


def serve_scripts(address: str) -> str:
    """Returns in a fork that is to run a script; the end of stdin ends this process."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    n_at_work = 0
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if not os.fork():
            listener.close()
            return waited_for(connection)
        connection.close()
        n_at_work += 1
        while n_at_work and os.waitpid(-1, os.WNOHANG)[0]:  # their times count as those of this one
            n_at_work -= 1
    sys.exit()


def waited_for(connection: socket.socket) -> str:
    """Fork once more: tell the connection how the script ends, which the fork is to run."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    with connection, connection.makefile() as lines:
        request = json.loads(lines.readline())
    become(request, streams)
    sys.argv = request["words"]
    return sys.argv[0]


program, *modules = sys.argv[1:]
scripts = program == "--scripts"
address, *modules = modules if scripts else ["", *modules]
for name in modules:
    importlib.import_module(name)
gc.freeze()  # a fork that collects would copy all of it
if scripts:
    runpy.run_path(serve_scripts(address), run_name="__main__")
else:
    serve_program(program)
    runpy.run_module(program, run_name="__main__", alter_sys=True)
