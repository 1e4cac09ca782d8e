/** One health probe: a command in the container, its beginning of output and its exit code, within a time. */
import { isSampanError } from "#errdefs";
import type { Container } from "../container.ts";
import type { EngineCore } from "../core.ts";
import { probeCommand, type HealthCheck, type ProbeResult } from "./health.ts";

/** Bytes of output that are kept. */
const maxOutput = 4096;
const killSignal = 9;

/** Never throws for what the container or its command does: that is a result. */
export async function runProbe(core: EngineCore, container: Container, check: HealthCheck): Promise<ProbeResult> {
  const start = Date.now();
  const result = (exitCode: number, output: string): ProbeResult => ({ start, end: Date.now(), exitCode, output });
  let session;
  try {
    session = await container.exec({ command: probeCommand(check), quiet: true });
  } catch (error) {
    if (!isSampanError(error)) throw error;
    return result(-1, error.message);
  }
  using _ = session;
  const chunks: Uint8Array[] = [];
  let size = 0;
  session.onOutput((_stream, data) => {
    if (size < maxOutput) chunks.push(data.subarray(0, maxOutput - size));
    size += data.length;
  });
  const timeout = Promise.withResolvers<"timeout">();
  const timer = setTimeout(() => timeout.resolve("timeout"), Math.min(check.timeout, 2 ** 31 - 1));
  try {
    const ended = await Promise.race([session.exited, timeout.promise]);
    const output = Buffer.concat(chunks).toString();
    if (ended !== "timeout") return result(ended.status, output);
    await killProcess(core, container.id, session.pid);
    return result(-1, `Health check exceeded timeout (${check.timeout / 1000}s)${output === "" ? "" : `: ${output}`}`);
  } catch (error) {
    // The container, or its monitor, has ended meanwhile.
    if (!isSampanError(error)) throw error;
    return result(-1, error.message);
  } finally {
    clearTimeout(timer);
  }
}

async function killProcess(core: EngineCore, id: string, pid: number): Promise<void> {
  try {
    using client = await core.runtime.connect(id);
    await client.kill(killSignal, pid);
  } catch (error) {
    if (!isSampanError(error)) throw error;
  }
}
