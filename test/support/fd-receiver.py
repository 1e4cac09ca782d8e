"""
Receives one descriptor on a unix socket, as containerd's shim and conmon do: fd-receiver.py SOCKET. Prints `{}` when it
listens, then what came as a line of JSON. A terminal's output is printed in a third line, until it ends.
"""
import array
import json
import os
import socket
import sys

path = sys.argv[1]
# Paths of sockets hold 107 bytes.
os.chdir(os.path.dirname(path))
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.path.basename(path))
listener.listen()
print("{}", flush=True)
connection = listener.accept()[0]
text, control, _, _ = connection.recvmsg(4096, 1024)
fds = array.array("i")
for _, _, data in control:
    fds.frombytes(data)
with open(f"/proc/self/fdinfo/{fds[0]}") as info:
    pids = [int(line.split()[1]) for line in info if line.startswith("Pid:")]
what = {"text": text.decode(), "count": len(fds), "terminal": os.isatty(fds[0]), "pids": pids}
print(json.dumps(what), flush=True)
if what["terminal"]:
    os.write(fds[0], b"typed\n")
    output = b""
    while True:
        try:
            part = os.read(fds[0], 4096)
        except OSError:
            break
        if not part:
            break
        output += part
    print(json.dumps(output.decode()), flush=True)
