"""
Runs a command below a subreaper, as containerd's shim and conmon run an OCI runtime. It tells on descriptor 3, one JSON a
line: the command's exit code and the children that are left then, and each child's end.
"""
import ctypes
import json
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def tell(**what):
    os.write(3, (json.dumps(what) + "\n").encode())


os.set_inheritable(3, False)
if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    sys.exit("no subreaper")
code = subprocess.Popen(sys.argv[1:], close_fds=False).wait()
with open(f"/proc/self/task/{os.getpid()}/children") as children:
    tell(event="command", code=code, children=[int(pid) for pid in children.read().split()])
while True:
    try:
        pid, status = os.waitpid(-1, 0)
    except ChildProcessError:
        break
    tell(event="ended", pid=pid, code=os.waitstatus_to_exitcode(status))
