import { afterAll } from "vitest";
import { KeelExecutor } from "#keel";
import { NativeSnapshotter, OverlaySnapshotter, type Snapshotter } from "#snapshots";
import type { Executor } from "#keel";
import { testSnapshotter, type SnapshotterHost } from "../../src/snapshots/testsuite.ts";
import { Mounts, scratch } from "../support/mounts.ts";

const executor = new KeelExecutor();
afterAll(() => executor[Symbol.asyncDispose]());

const host = (Kind: new (root: string, executor: Executor) => Snapshotter) => (): SnapshotterHost => {
  const mounts = new Mounts();
  return {
    open: (root) => new Kind(root, executor),
    directory: scratch,
    executor,
    mount: (source) => mounts.mount(source),
    unmountAll: () => mounts.unmountAll(),
  };
};

testSnapshotter("OverlaySnapshotter", host(OverlaySnapshotter));
testSnapshotter("NativeSnapshotter", host(NativeSnapshotter));
