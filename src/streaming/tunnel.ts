/**
 * The name of the protocol by which clients since Kubernetes 1.30 forward ports: SPDY in messages of a WebSocket (KEP-4006). It
 * has a `/`, which no token has and `ws` refuses: on the way through `ws` it goes by another name.
 */
import type { IncomingMessage } from "node:http";
import { portForwardProtocol } from "./port-forward.ts";

const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`;
/** What `ws` knows it by. */
export const tunnelAlias: string = `spdy-3.1+${portForwardProtocol}`;

const header = "sec-websocket-protocol";

/** Of a request, before `ws` sees it. */
export function hideTunnel({ headers }: IncomingMessage): void {
  const offered = headers[header];
  if (offered !== undefined) headers[header] = offered.replaceAll(tunnelProtocol, tunnelAlias);
}

/** Of the lines of an answer, before they are sent. */
export function showTunnel(lines: string[]): void {
  for (const [at, line] of lines.entries())
    if (line.toLowerCase().startsWith(`${header}:`)) lines[at] = line.replace(tunnelAlias, tunnelProtocol);
}
