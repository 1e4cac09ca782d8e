export { dockerCredentials, type Credentials, type CredentialSource } from "./credentials.ts";
export type { RegistryOptions, RetryOptions } from "./options.ts";
export { Registry, type FetchedManifest, type FetchOptions } from "./registry.ts";
export type { Uploaded, UploadSource } from "./upload.ts";
export { eraseCredentials, storeCredentials, type StoredIn } from "./login.ts";
