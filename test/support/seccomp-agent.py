"""
An agent of seccomp filters that notify: takes one connection on a socket, prints what it gets as a line of JSON, and lets
every system call go on, but the one it is to answer itself: seccomp-agent.py SOCKET MODE [NUMBER VALUE]. MODE `answer`; `mute`
keeps the listener and answers nothing; `refuse` closes the connection unread.
"""
import array
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys

RECEIVE = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV
SEND = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
CONTINUE = 1
NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # id, pid, flags, nr, arch, instruction pointer, arguments
RESPONSE = struct.Struct("=QqiI")

path, mode = sys.argv[1:3]
own = [int(n) for n in sys.argv[3:]]
listener = socket.socket(socket.AF_UNIX)
# Paths of sockets hold 107 bytes.
os.chdir(os.path.dirname(path))
listener.bind(os.path.basename(path))
listener.listen()
print("{}", flush=True)
connection = listener.accept()[0]
if mode == "refuse":
    connection.close()
    sys.exit()
fds = array.array("i")
text = b""
while True:
    part, control, _, _ = connection.recvmsg(65536, 1024)
    if not part:
        break
    text += part
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(data)
if not fds:
    sys.exit("no descriptor came")
about = []
for fd in fds[1:]:
    with open(f"/proc/self/fdinfo/{fd}") as info:
        about += [line.split()[1] for line in info if line.startswith("Pid:")]
kinds = [os.readlink(f"/proc/self/fd/{fd}") for fd in fds]
print(json.dumps({"text": text.decode(), "kinds": kinds, "pids": about}), flush=True)
if mode == "mute":
    signal.pause()
seen = set()
poll = select.poll()
poll.register(fds[0], select.POLLIN)
while True:
    if poll.poll()[0][1] & select.POLLIN == 0:
        break
    buffer = bytearray(NOTIFICATION.size)
    try:
        fcntl.ioctl(fds[0], RECEIVE, buffer)
        number, _, _, call = NOTIFICATION.unpack(buffer)[:4]
        seen.add(call)
        answer = (number, own[1], 0, 0) if own and call == own[0] else (number, 0, 0, CONTINUE)
        fcntl.ioctl(fds[0], SEND, bytearray(RESPONSE.pack(*answer)))
    except FileNotFoundError:
        continue
print(json.dumps({"seen": sorted(seen)}), flush=True)
