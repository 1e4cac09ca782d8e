/** Containers that another runtime makes, by a program that keel's monitor has it run. */
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failedPrecondition, isSampanError } from "#errdefs";
import { keelPath, type ExecSession, type MonitorClient } from "#keel";
import { planHandler, planHandlerExec, type HandlerContainer, type HandlerPlan, type HostFacts } from "#plan";
import { writeProcess, writeRuntimeConfig, type ProcessConfig, type RuntimeConfig } from "#spec";
import { handlerFile } from "../state.ts";
import { handlerEnvironment, runHandler } from "./commands.ts";
import { handlerFailure } from "./words.ts";

export class HandlerRuns {
  readonly #facts: HostFacts;

  constructor(facts: HostFacts) {
    this.#facts = facts;
  }

  plan(
    config: RuntimeConfig,
    container: HandlerContainer,
    bundle: string,
    options: Parameters<typeof planHandler>[4],
  ): HandlerPlan {
    const places = { bundle, environment: handlerEnvironment, keel: keelPath() };
    return planHandler(config, this.#facts, container, places, options);
  }

  /** Makes the bundle. */
  furnish(bundle: string, { config }: HandlerPlan): void {
    writeFileSync(join(bundle, handlerFile), writeRuntimeConfig(config), { mode: 0o600 });
  }

  failure(error: unknown, { handler }: HandlerContainer, bundle: string, action: string): unknown {
    return handlerFailure(error, handler, join(bundle, "runtime.log"), `${action} the container`);
  }

  async kill(container: HandlerContainer, signal: number): Promise<void> {
    try {
      await runHandler(container, ["kill", container.id, String(signal)], "signal the container");
    } catch (error) {
      // It has ended meanwhile; runtimes say so in different words.
      if (isSampanError(error) && /not running|already finished|no such process|does not exist/i.test(error.message))
        throw failedPrecondition(`Cannot signal container "${container.id.slice(0, 12)}": it is not running`, {
          cause: error,
        });
      throw error;
    }
  }

  async exec(
    client: MonitorClient,
    container: HandlerContainer,
    bundle: string,
    process: ProcessConfig,
    options: {
      readonly openStdin: boolean;
      readonly output: boolean;
      readonly cgroups: ReadonlyMap<string, string>;
    },
  ): Promise<ExecSession> {
    const name = `exec-${randomBytes(8).toString("hex")}`;
    const places = { bundle, environment: handlerEnvironment };
    const log = join(bundle, `${name}.log`);
    try {
      writeFileSync(join(bundle, `${name}.json`), writeProcess(process), { mode: 0o600 });
      return await client.exec({
        terminal: process.terminal,
        openStdin: options.openStdin,
        output: options.output,
        program: planHandlerExec(container, places, name, process.terminal, options.cgroups),
      });
    } catch (error) {
      throw handlerFailure(error, container.handler, log, `run "${process.args[0] ?? ""}" in the container`);
    } finally {
      for (const file of [log, join(bundle, `${name}.json`)]) rmSync(file, { force: true });
    }
  }
}
