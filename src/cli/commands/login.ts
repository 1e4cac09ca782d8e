import { command } from "../command.ts";
import { interruption } from "../open.ts";
import { registryFlags, registryOptions } from "../registry-flags.ts";

/** Bytes of a password on the standard input. */
const maxPassword = 64 * 1024;

export const login = command(
  {
    name: "login",
    summary: "Check a user name and password with a registry, and keep them",
    usage: "[REGISTRY]",
    positionals: [0, 1],
    options: {
      ...registryFlags,
      "password-stdin": { type: "boolean", help: "read the password from the standard input" },
      username: { type: "string", short: "u", value: "NAME", help: "in place of asking for it" },
    },
    examples: ["sampan login registry.example.com", "sampan login -u anna --password-stdin 127.0.0.1:5000 < password"],
  },
  async (values, [domain = "docker.io"]) => {
    const { invalidArgument } = await import("#errdefs");
    const { Registry, storeCredentials } = await import("#remotes");
    const piped = values["password-stdin"] === true;
    if (piped && values.username === undefined)
      throw invalidArgument("Cannot parse --password-stdin: it needs --username");
    const { prompt } = await import("../prompt.ts");
    const username = values.username ?? (await prompt("User name: ", false));
    const password = piped ? await readPassword() : await prompt("Password: ", true);
    const credentials = { username, password };
    const host = registryHost(domain);
    using registry = new Registry({ ...(await registryOptions(values)), credentials: () => credentials });
    await registry.checkLogin(host, { signal: interruption() });
    const stored = await storeCredentials(host, credentials);
    const where = "helper" in stored ? `docker-credential-${stored.helper}` : stored.file;
    process.stdout.write(`Logged in to ${host}; kept by ${where}\n`);
    return 0;
  },
);

/** As people copy it from a browser. */
export function registryHost(text: string): string {
  const host = text.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "index.docker.io" || host === "registry-1.docker.io" ? "docker.io" : host;
}

async function readPassword(): Promise<string> {
  const { invalidArgument } = await import("#errdefs");
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    if (size > maxPassword) break;
  }
  const password = Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (password === "" || size > maxPassword)
    throw invalidArgument(`Cannot read a password from "stdin": it is ${password === "" ? "empty" : "too long"}`);
  return password;
}
