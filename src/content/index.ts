import { openContentStore } from "./file-store.ts";
import type { ContentStore as Store } from "./store.ts";

/** {@link Store} */
export type ContentStore = Store;
export const ContentStore: { readonly open: (root: string) => Store } = { open: openContentStore };
export { currentOwner, isOwnerAlive, type Owner } from "./owner.ts";
export type { BlobSource, Expected } from "./store.ts";
export { WriterLock } from "./writer-lock.ts";
