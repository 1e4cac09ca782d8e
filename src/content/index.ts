export { openContentStore } from "./file-store.ts";
export { currentOwner, isOwnerAlive, type Owner } from "./owner.ts";
export type { BlobSource, ContentStore, Expected } from "./store.ts";
