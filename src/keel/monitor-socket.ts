/** Connecting to a socket in a state directory, whatever the length of its path. */
import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { permissionDenied, unavailable } from "#errdefs";

/** Bytes of `sun_path` (unix(7)) without the final NUL. */
const maxPath = 107;

async function connectPath(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ path });
  // It stays: the monitor may end before the socket has another listener. The connection then sees a closed socket.
  socket.on("error", reject);
  socket.once("connect", () => resolve(socket));
  return promise;
}

/** Connects to a socket by its name in a directory. Throws Node's error when that fails. */
export async function connectIn(directory: string, name: string): Promise<Socket> {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= maxPath) return connectPath(path);
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await connectPath(`/proc/self/fd/${fd}/${name}`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Connects to the monitor that keeps its state in a directory.
 *
 * @throws SampanError `unavailable` when no monitor is there (any more), `permission-denied`
 */
export async function connectMonitor(directory: string): Promise<Socket> {
  try {
    return await connectIn(directory, "monitor.sock");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const init = { cause, path: directory };
    if (code === "EACCES" || code === "EPERM") {
      throw permissionDenied(`Cannot reach the monitor of "${directory}": permission denied`, init);
    }
    throw unavailable(`Cannot reach the monitor of "${directory}": it has ended`, init);
  }
}
