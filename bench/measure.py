"""Runs a program and writes what it cost, its whole process tree together, as one JSON object.

    measure.py RESULT [--interrupt-after SECONDS] -- PROGRAM ARGUMENTS...

stdin is passed on; stdout is read here, a line counts when it is whole. With --interrupt-after the program gets SIGINT.
"""
import json
import resource
import signal
import subprocess
import sys
import threading
import time

split = sys.argv.index("--")
result, options, command = sys.argv[1], sys.argv[2:split], sys.argv[split + 1:]
interrupted = None
began = time.monotonic()
# What is started in the background of a script ignores SIGINT, and its children would inherit that.
process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def interrupt():
    global interrupted
    interrupted = time.monotonic()
    process.send_signal(signal.SIGINT)


if options and options[0] == "--interrupt-after":
    timer = threading.Timer(float(options[1]), interrupt)
    timer.daemon = True
    timer.start()

first, lines = None, 0
for _ in process.stdout:
    if first is None:
        first = time.monotonic()
    lines += 1
status = process.wait()
ended = time.monotonic()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(result, "w") as file:
    json.dump({"status": status, "cpu": used.ru_utime + used.ru_stime, "wall": ended - began, "first": (first or ended) - began, "lines": lines,
               "peak": used.ru_maxrss / 1024, "afterInterrupt": None if interrupted is None else ended - interrupted}, file)
