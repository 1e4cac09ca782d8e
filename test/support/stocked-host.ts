/** A test host with a registry in it and images pulled from there: what most tests of the command line start from. */
import { testImage, type ImageName } from "./images.ts";
import type { CommandResult } from "./process.ts";
import { Registry } from "./registry.ts";
import { TestHost, type RunOptions } from "./testhost.ts";

export class StockedHost implements AsyncDisposable {
  readonly host: TestHost;
  readonly registry: Registry;

  private constructor(host: TestHost, registry: Registry) {
    this.host = host;
    this.registry = registry;
  }

  /** Makes a host, starts a registry in it, pushes the images there as `NAME:1`, and pulls them with `sampan pull`. */
  static async create(names: readonly ImageName[]): Promise<StockedHost> {
    const host = await TestHost.create();
    try {
      const registry = await Registry.start({ host });
      const stocked = new StockedHost(host, registry);
      for (const name of names) {
        await registry.push(await testImage(name), `${name}:1`, ["--multi-arch", "all"]);
        await stocked.must(["pull", stocked.image(name)], { timeout: 300_000 });
      }
      return stocked;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Reference of an image in the registry. */
  image(name: string): string {
    return `${this.registry.address}/${name}:1`;
  }

  /**
   * `sampan run --rm FLAGS busybox sh -c SCRIPT`.
   *
   * @param image name of another image of the registry
   */
  async shell(
    flags: readonly string[],
    script: string,
    options: RunOptions & { readonly image?: string } = {},
  ): Promise<CommandResult> {
    const image = this.image(options.image ?? "busybox");
    return await this.host.sampan(["run", "--rm", ...flags, image, "sh", "-c", script], options);
  }

  /**
   * Like {@link shell}, for scripts that must succeed.
   *
   * @returns stdout without the final newline
   * @throws Error with the output when the exit code is not 0
   */
  async mustShell(...[flags, script, options]: Parameters<StockedHost["shell"]>): Promise<string> {
    return checked(`run ${flags.join(" ")} ${script}`, await this.shell(flags, script, options));
  }

  /** Runs `sampan ARGS`, which must succeed; resolves with stdout without the final newline. */
  async must(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return checked(args.join(" "), await this.host.sampan(args, options));
  }

  /** What `sampan inspect NAME` prints, the first of its objects. */
  async inspect<T = ContainerDetails>(name: string): Promise<T> {
    const [first] = JSON.parse(await this.must(["inspect", name])) as readonly T[];
    if (first === undefined) throw new Error(`Cannot inspect "${name}": nothing is printed`);
    return first;
  }

  /** Ids of all containers, running or not. */
  async containers(): Promise<readonly string[]> {
    return (await this.must(["ps", "-aq"])).split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
  }
}

/** The parts of `sampan inspect` that tests look at. */
export interface ContainerDetails {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
  };
  readonly Config: { readonly Env: readonly string[]; readonly Image: string };
  readonly Mounts: readonly { readonly Type: string; readonly Name?: string; readonly Destination: string }[];
}

function checked(what: string, { code, stdout, stderr }: CommandResult): string {
  if (code !== 0) throw new Error(`Cannot ${what}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.replace(/\n$/, "");
}

/** Waits until `check` gives true, asking every 20 milliseconds for at most ten seconds. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Cannot see in ten seconds: ${what}`);
}
