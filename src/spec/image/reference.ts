import { invalidArgument } from "#errdefs";
import { digestProblem, isDigest } from "./digest.ts";
import type { Digest } from "./types.ts";

/** An image's name, taken apart. Equal images have equal parts: short names are completed as Docker does. */
export interface Reference {
  /** Registry, `host[:port]`, or `localhost` for images that only exist on this machine. */
  readonly domain: string;
  /** Repository in the registry, e.g. `library/nginx`. */
  readonly path: string;
  /** Missing only where there is a digest. */
  readonly tag?: string;
  readonly digest?: Digest;
}

const defaultDomain = "docker.io";
const maxName = 255;

const domainPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Reads an image's name by the grammar of distribution's `reference` package: `[domain/]path[:tag][@digest]`. The first
 * part is a domain when it has a dot, a colon or an upper-case letter, or is `localhost`; otherwise the image is on
 * Docker Hub, below `library/` when the path is one word. Without tag and digest the tag is `latest`.
 *
 * @throws SampanError `invalid-argument`
 */
export function parseReference(text: string): Reference {
  const fail = (state: string): never => {
    const shown = text.length > 300 ? `${text.slice(0, 300)}…` : text;
    throw invalidArgument(`Cannot use image name "${shown}": ${state}`, {
      remedy: "Write it like name:tag, host/name:tag or host:port/name@sha256:…",
    });
  };
  if (text === "") fail("it is empty");
  if (text.length > maxName * 4) fail(`it is longer than ${maxName * 4} characters`);
  if (/^[0-9a-f]{64}$/.test(text)) fail("64 hexadecimal digits are an image's id");

  const { rest, digest } = splitDigest(text, fail);
  const { name, tag } = splitTag(rest, fail);
  const { domain, path } = splitDomain(name);

  if (!domainPattern.test(domain)) fail(`"${domain}" is no host name`);
  const port = /:(\d+)$/.exec(domain)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) fail(`port ${port} does not exist`);
  for (const component of path.split("/")) checkComponent(component, fail);
  if (`${domain}/${path}`.length > maxName) fail(`the name is longer than ${maxName} characters`);

  if (tag !== undefined) return { domain, path, tag, ...(digest && { digest }) };
  return digest === undefined ? { domain, path, tag: "latest" } : { domain, path, digest };
}

type Fail = (state: string) => never;

function splitDigest(text: string, fail: Fail): { rest: string; digest?: Digest } {
  const at = text.indexOf("@");
  if (at < 0) return { rest: text };
  const digest = text.slice(at + 1);
  if (!isDigest(digest)) return fail(`the digest after @ is wrong: ${digestProblem(digest)}`);
  return { rest: text.slice(0, at), digest };
}

function splitTag(text: string, fail: Fail): { name: string; tag?: string } {
  const colon = text.lastIndexOf(":");
  if (colon < 0 || text.includes("/", colon)) return { name: text };
  const tag = text.slice(colon + 1);
  if (tag === "") fail("the tag after the colon is empty");
  if (tag.length > 128) fail("the tag is longer than 128 characters");
  if (!tagPattern.test(tag)) fail(`"${tag}" is no tag: letters, digits, "_", "." and "-" are allowed`);
  return { name: text.slice(0, colon), tag };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain = first !== "" && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const domain = isDomain && first !== "index.docker.io" ? first : defaultDomain;
  const path = isDomain ? name.slice(slash + 1) : name;
  return { domain, path: domain === defaultDomain && !path.includes("/") ? `library/${path}` : path };
}

function checkComponent(component: string, fail: Fail): void {
  if (componentPattern.test(component)) return;
  if (component === "") fail("a part of the name is empty");
  if (component !== component.toLowerCase()) fail(`"${component}" has upper-case letters, a repository is lower case`);
  if (/[^a-z0-9._-]/.test(component)) {
    fail(`"${component}" has a character other than lower-case letters, digits, ".", "_" and "-"`);
  }
  fail(`"${component}" has separators at an end or next to each other`);
}

/** True for names that only exist on this machine, below `localhost/`; `localhost:5000/` is a registry. */
export function isLocalReference(reference: Reference): boolean {
  return reference.domain === "localhost";
}

/** `domain/path`, whole. */
export function repositoryName({ domain, path }: Reference): string {
  return `${domain}/${path}`;
}

/** The whole name, with all that was completed; one spelling for each image. */
export function formatReference(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The shortest name that is read as the same reference, as people write it; `latest` stays. */
export function familiarName(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}

/** The shortest `[domain/]path` that is read as the same repository. */
export function familiarRepository(reference: Reference): string {
  if (reference.domain !== defaultDomain) return repositoryName(reference);
  const short = reference.path.replace(/^library\/(?=[^/]+$)/, "");
  // `docker.io/foo.bar/baz` would be read as a host when shortened.
  const again = splitDomain(short);
  return again.domain === reference.domain && again.path === reference.path ? short : repositoryName(reference);
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}
