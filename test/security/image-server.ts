/**
 * `node image-server.ts DIRECTORY [USER:WORD]`: the least that a registry must be, and no more: it serves whatever lies in
 * `DIRECTORY/<repository>/<tag or digest>`, broken or not. Prints its port. With USER:WORD it asks for basic authentication.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const [directory = "", account] = process.argv.slice(2);
const expected = account === undefined ? undefined : `Basic ${Buffer.from(account).toString("base64")}`;

const server = createServer((request, response) => {
  if (expected !== undefined && request.headers.authorization !== expected) {
    response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    return;
  }
  const [, repository, kind, name] =
    /^\/v2\/([a-z0-9-]+)\/(manifests|blobs)\/([\w.:-]+)$/.exec(request.url ?? "") ?? [];
  if (repository === undefined || name === undefined) {
    response.writeHead(request.url === "/v2/" ? 200 : 404).end();
    return;
  }
  readFile(join(directory, repository, name.replace(":", "-"))).then(
    (data) => {
      response.writeHead(200, {
        "content-length": data.length,
        "docker-content-digest": `sha256:${createHash("sha256").update(data).digest("hex")}`,
        "content-type": kind === "blobs" ? "application/octet-stream" : mediaType(data),
      });
      response.end(request.method === "HEAD" ? undefined : data);
    },
    () => response.writeHead(404).end(),
  );
});

function mediaType(data: Buffer): string {
  return (JSON.parse(data.toString()) as { mediaType: string }).mediaType;
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : ""}\n`);
});
