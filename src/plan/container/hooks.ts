import type { HookConfig } from "#spec";
import type { ContainerStatus, PlanOptions } from "../plan.ts";
import { absolutePath, checkText } from "./paths.ts";
import type { StepList } from "./step-list.ts";

const source = "runtime-spec config.md#posix-platform-hooks";

/** Where hooks of one kind run, what the container's status is then, and why they are there. */
interface Kind {
  readonly parent: boolean;
  readonly status: ContainerStatus;
  readonly why: string;
}

const kinds = {
  prestart: {
    parent: true,
    status: "creating",
    why: "The config has this run on the host's side before the container starts",
  },
  createRuntime: {
    parent: true,
    status: "creating",
    why: "The config has this run on the host's side once the namespaces are there",
  },
  createContainer: {
    parent: false,
    status: "creating",
    why: "The config has this run in the container's namespaces, with the host's files still in sight",
  },
  startContainer: {
    parent: false,
    status: "created",
    why: "The config has this run in the container right before its program",
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** Hooks of one kind, in their order. Without a state to give them they are not for whoever plans. */
export function addHooks(
  list: StepList,
  name: keyof typeof kinds,
  hooks: readonly HookConfig[],
  options: PlanOptions,
): void {
  if (options.hookState === undefined) return;
  const { parent, status, why } = kinds[name];
  const [before, after] = options.hookState(status);
  for (const { path, args, env, timeout } of hooks)
    list.add(
      {
        op: "hook",
        parent,
        path: absolutePath(path, `run ${name} hook`),
        arguments: args.length === 0 ? [path] : args.map((a) => checkText(a, "argument of a hook")),
        environment: env.map((e) => checkText(e, "environment of a hook")),
        directory: parent ? (options.bundle ?? "/") : "",
        timeout: Math.min((timeout ?? 0) * 1000, 0xffff_ffff),
        before,
        after,
      },
      why,
      source,
    );
}
