/** What a host may be asked for: blobs and manifests by digest, what a name stands for, to take images, what refers to one. */
export type Capability = "pull" | "resolve" | "push" | "referrers";

export const allCapabilities: ReadonlySet<Capability> = new Set(["pull", "resolve", "push", "referrers"]);
