/** Docker's credential helpers: programs `docker-credential-NAME` that keep passwords somewhere safer than a file. */
import { spawn } from "node:child_process";
import { failedPrecondition, invalidArgument, type SampanError, unavailable } from "#errdefs";
import type { Credentials } from "./credentials.ts";

const timeout = 30_000;
const maxAnswer = 1024 * 1024;
/** The user name that stands for an identity token. */
const tokenUser = "<token>";

/**
 * Asks a helper.
 *
 * @param name the part of the program's name behind `docker-credential-`
 * @param server as it was stored
 * @returns undefined when it has none
 * @throws SampanError `failed-precondition` when there is no such program or it fails, `unavailable` when it takes too long
 */
export async function getFromHelper(name: string, server: string): Promise<Credentials | undefined> {
  const { code, output } = await run(name, "get", server);
  if (code !== 0) {
    // The helpers' common library says this, on its output; others say nothing better.
    if (/not found/i.test(output)) return undefined;
    throw failed(name, "get", output);
  }
  let answer: { Username?: unknown; Secret?: unknown } | null;
  try {
    answer = JSON.parse(output) as typeof answer;
  } catch {
    throw failed(name, "get", "it answers no JSON");
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== "string" || typeof secret !== "string") throw failed(name, "get", "it answers no user name");
  if (username === "" && secret === "") return undefined;
  return username === tokenUser ? { identityToken: secret } : { username, password: secret };
}

/** @throws SampanError like {@link getFromHelper} */
export async function storeInHelper(
  name: string,
  server: string,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<void> {
  const entry = JSON.stringify({ ServerURL: server, Username: username, Secret: password });
  const { code, output } = await run(name, "store", entry);
  if (code !== 0) throw failed(name, "store", output);
}

/**
 * Idempotent.
 *
 * @throws SampanError like {@link getFromHelper}
 */
export async function eraseFromHelper(name: string, server: string): Promise<void> {
  const { code, output } = await run(name, "erase", server);
  if (code !== 0 && !/not found/i.test(output)) throw failed(name, "erase", output);
}

async function run(name: string, action: string, input: string): Promise<{ code: number; output: string }> {
  // It becomes part of a program's name.
  if (!/^[\w.-]+$/.test(name)) {
    throw invalidArgument(`Cannot use credential helper "${name}": its name has characters that no program's name has`);
  }
  const program = `docker-credential-${name}`;
  const child = spawn(program, [action], { stdio: ["pipe", "pipe", "ignore"] });
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number; output: string }>();
  const chunks: Uint8Array[] = [];
  let size = 0;
  child.stdout.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size <= maxAnswer) chunks.push(chunk);
    else child.kill("SIGKILL");
  });
  child.once("error", (error: NodeJS.ErrnoException) => {
    const state = error.code === "ENOENT" ? "it is not installed" : "it can't be run";
    reject(
      failedPrecondition(`Cannot use credential helper "${program}": ${state}`, {
        remedy: "Install it, or remove it from Docker's config.json",
        cause: error,
      }),
    );
  });
  child.once("close", (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8").trim() }));
  // It may end without having read all.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    child.stdout.destroy();
    reject(unavailable(`Cannot use credential helper "${program}": it takes longer than ${timeout / 1000} seconds`));
  }, timeout);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

function failed(name: string, action: string, output: string): SampanError {
  const said = output.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
  return failedPrecondition(
    `Cannot use credential helper "docker-credential-${name}": ${action} fails${said === "" ? "" : ` (${said})`}`,
  );
}
