/** An executor that only writes down what it is asked, for tests of everything above keel. */
import type { Operation, ReplyCreated } from "#plan";
import { unsupported } from "#errdefs";
import type { CreateOptions, Executor, LayerEntry, LayerSink } from "./executor.ts";
import type { FileTree } from "./file-tree.ts";

export class RecordingExecutor implements Executor {
  readonly executed: (readonly Operation[])[] = [];
  readonly created: CreateOptions[] = [];
  readonly layers: { readonly root: string; readonly overlay: boolean; readonly entries: LayerEntry[] }[] = [];
  /** What `read-file` operations find, by path. */
  readonly files = new Map<string, Uint8Array>();

  execute(program: readonly Operation[]): Promise<ReadonlyMap<number, Uint8Array>> {
    this.executed.push(program);
    const results = new Map<number, Uint8Array>();
    for (const [step, operation] of program.entries()) {
      const data = operation.op === "read-file" ? this.files.get(operation.path) : undefined;
      if (data !== undefined) results.set(step, data);
    }
    return Promise.resolve(results);
  }

  create(options: CreateOptions): Promise<ReplyCreated> {
    this.created.push(options);
    return Promise.resolve({ kind: "created", pid: 4_000_000 + this.created.length, monitor: 4_100_000 });
  }

  openLayer(root: string, options: { readonly overlay: boolean }): Promise<LayerSink> {
    const entries: LayerEntry[] = [];
    this.layers.push({ root, overlay: options.overlay, entries });
    return Promise.resolve({
      write: (entry) => {
        entries.push(entry);
        return Promise.resolve();
      },
      finish: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  }

  openTree(): Promise<FileTree> {
    return Promise.reject(unsupported("Cannot open a tree of files: nothing is executed here"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
