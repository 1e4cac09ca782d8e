/**
 * A tree of files below one root, read and written by a `keel browse` of its own. Every path is resolved inside the root by
 * the kernel, whatever symbolic links are in it and whoever changes it meanwhile.
 */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { internal, SampanError, unavailable } from "#errdefs";
import type { Operation, Reply, ReplyFailed, ReplyFound, Request } from "#plan";
import { Connection } from "./connection.ts";
import type { LayerEntry, LayerSink } from "./executor.ts";
import { failure } from "./failure.ts";
import { ended, start } from "./mode.ts";

export interface TreeOptions {
  /** Operations whose root directory is the tree; they run in the process that reads it. */
  readonly program: readonly Operation[];
  /** In a mount namespace of its own, which ends with the tree. */
  readonly mounts: boolean;
}

/** What is at a path; `seconds` and `nanoseconds` are its modification time. */
export type FoundFile = Omit<ReplyFound, "kind">;

export type TreeEvent =
  | { readonly kind: "file"; readonly file: FoundFile }
  /** Content of the file that came last, in the order of its segments. */
  | { readonly kind: "data"; readonly data: Uint8Array }
  /** Its content is complete. When less came than its segments say, it has become shorter meanwhile. */
  | { readonly kind: "end" };

export interface WalkOptions {
  /** Start at what a symbolic link at the path's end leads to. */
  readonly follow?: boolean;
  /** Only the path itself, with what is in it, or (default) with all below it. */
  readonly depth?: "itself" | "children" | "all";
  /** Go into what is mounted below. Filesystems of the kernel's own, such as procfs, are not gone into. */
  readonly cross?: boolean;
  /** Send regular files' content. */
  readonly content?: boolean;
}

const depths = { itself: 0, children: 1, all: 2 } as const;

/** Events that wait to be taken, and bytes of theirs, before keel is left waiting. */
const queueLimit = 4096;
const queueBytes = 2 * 1024 * 1024;

export class FileTree implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #connection: Connection;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const socket = child.stdio[3] as Socket;
    this.#connection = new Connection(socket);
    child.on("error", (cause) =>
      this.#connection.destroy(unavailable("Cannot open a tree of files: keel does not start", { cause })),
    );
    child.unref();
  }

  /** Use `Executor.openTree`. */
  static async open(keel: string, { program, mounts }: TreeOptions): Promise<FileTree> {
    const tree = new FileTree(start(keel, "browse"));
    try {
      const reply = await tree.#connection.ask({ kind: "browse-open", mounts, program });
      if (reply.kind === "failed") throw failure(reply, program, "open the tree of files");
      if (reply.kind !== "done") throw unexpected(reply);
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * @param path absolute or relative, in the root
   * @returns what is there; undefined when nothing is
   * @throws SampanError with errno and path
   */
  async look(path: string, options: { readonly follow?: boolean } = {}): Promise<FoundFile | undefined> {
    const reply = await this.#connection.ask({ kind: "browse-look", path, follow: options.follow === true });
    if (reply.kind === "found") return reply;
    if (reply.kind !== "failed") throw unexpected(reply);
    if (reply.errno === constants.errno.ENOENT || reply.errno === constants.errno.ENOTDIR) return undefined;
    throw this.#failure(reply, path);
  }

  /**
   * Goes through a tree: a directory comes before what is in it, names in the order of their bytes. What goes meanwhile is
   * left out. Ending the iteration early ends the tree.
   *
   * @throws SampanError `not-found` when nothing is at the path; others with errno and path
   */
  async *walk(path: string, options: WalkOptions = {}): AsyncGenerator<TreeEvent, void, void> {
    const { follow = false, depth = "all", cross = false, content = false } = options;
    const queue = new EventQueue();
    const request: Request = { kind: "browse-walk", path, follow, depth: depths[depth], cross, content };
    const id = this.#connection.open(
      request,
      (reply) => queue.put(reply),
      (error) => queue.end(error),
    );
    let complete = false;
    try {
      for (;;) {
        const ready = queue.take();
        for (const reply of ready ?? (await queue.wait())) {
          if (reply.kind === "found") yield { kind: "file", file: reply };
          else if (reply.kind === "found-data") yield { kind: "data", data: reply.data };
          else if (reply.kind === "found-end") yield { kind: "end" };
          else {
            complete = true;
            if (reply.kind === "failed") throw this.#failure(reply, path);
            if (reply.kind !== "done") throw unexpected(reply);
            return;
          }
        }
      }
    } finally {
      queue.open();
      this.#connection.forget(id);
      if (!complete) this.#connection.destroy(unavailable("Cannot use the tree of files: a walk was ended early"));
    }
  }

  /**
   * Makes files in the tree. Unlike those of a layer, they are put among what is there: an existing directory stays as it
   * is, and neither replaces anything else nor is replaced (ENOTDIR, EISDIR). One at a time; a failure ends the tree.
   */
  write(): LayerSink {
    return new TreeSink(this.#connection);
  }

  /** Ends keel's process, and with it mounts of its own. Resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.destroy(unavailable("Cannot use the tree of files: it is closed"));
    await ended(this.#child);
  }

  #failure(reply: ReplyFailed, path: string): Error {
    const about = reply.detail === "" || reply.detail === "." ? path : reply.detail;
    return failureAbout(reply, about, `read "${about}"`);
  }
}

/** Replies that the consumer has not taken yet; more are not read while they are many. */
class EventQueue {
  #replies: Reply[] = [];
  #bytes = 0;
  #ended: { readonly error: unknown } | undefined;
  #filled: (() => void) | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  put(reply: Reply): Promise<void> | undefined {
    this.#replies.push(reply);
    if (reply.kind === "found-data") this.#bytes += reply.data.length;
    this.#filled?.();
    if (this.#replies.length < queueLimit && this.#bytes < queueBytes) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  end(error: unknown): void {
    this.#ended = { error };
    this.#filled?.();
  }

  /** All that is there, undefined when that is nothing. */
  take(): readonly Reply[] | undefined {
    if (this.#replies.length === 0) {
      if (this.#ended !== undefined) throw this.#ended.error;
      return undefined;
    }
    const taken = this.#replies;
    this.#replies = [];
    this.#bytes = 0;
    this.open();
    return taken;
  }

  async wait(): Promise<readonly Reply[]> {
    for (;;) {
      const taken = this.take();
      if (taken !== undefined) return taken;
      await new Promise<void>((resolve) => {
        this.#filled = resolve;
      });
      this.#filled = undefined;
    }
  }

  /** Lets the connection read on. */
  open(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

class TreeSink implements LayerSink {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #answer: Promise<Reply>;
  #failed: unknown;

  constructor(connection: Connection) {
    this.#connection = connection;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#answer = promise;
    promise.catch(() => undefined);
    this.#id = connection.open(
      { kind: "browse-write" },
      (reply) => {
        if (reply.kind === "failed") this.#failed = writeFailure(reply);
        resolve(reply);
      },
      (error) => {
        this.#failed ??= error;
        reject(error);
      },
    );
  }

  async write(entry: LayerEntry): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed;
    await this.#connection.send(this.#id, entry);
  }

  async finish(options: { readonly sync: boolean }): Promise<void> {
    if (this.#failed === undefined)
      await this.#connection.send(this.#id, { kind: "apply-finish", sync: options.sync, marks: [] });
    const answer = await this.#answer;
    this.#connection.forget(this.#id);
    if (this.#failed !== undefined) throw this.#failed;
    if (answer.kind !== "done") throw unexpected(answer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.forget(this.#id);
    return Promise.resolve();
  }
}

const states: ReadonlyMap<number, string> = new Map([
  [constants.errno.EISDIR, "there is a directory, which is not replaced by anything else"],
  [constants.errno.ENOTDIR, "there is something that is no directory in its place, or in its way"],
  [constants.errno.EBUSY, "something is mounted there"],
]);

function writeFailure(reply: ReplyFailed): SampanError {
  const path = reply.detail;
  const error = failureAbout(reply, path, `write "${path}"`);
  const state = states.get(reply.errno);
  return state === undefined ? error : new SampanError(error.code, `Cannot write "${path}": ${state}`, error.fields);
}

/** The action names the path already. */
function failureAbout(reply: ReplyFailed, path: string, action: string): SampanError {
  const { code, message, fields } = failure({ ...reply, detail: "" }, undefined, action);
  return new SampanError(code, message, { ...fields, path });
}

function unexpected(reply: Reply): Error {
  return internal(`Cannot understand keel: it answered "${reply.kind}"`);
}
