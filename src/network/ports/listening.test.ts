import { endianness } from "node:os";
import { expect, it } from "vitest";
import { parseListening } from "./listening.ts";

const v4 = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 24170 1 0000000000000000
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 24171 1 0000000000000000
   2: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 24172 1 0000000000000000
`;
const v6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: B80D0120000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
`;

it.runIf(endianness() === "LE")("parseListening() gives those that listen, and no connections", () => {
  expect([...parseListening(v4, "tcp"), ...parseListening(v6, "tcp"), ...parseListening(v4, "udp")]).toEqual([
    { address: "127.0.0.1", port: 8080, both: false },
    { address: "0.0.0.0", port: 22, both: false },
    { address: "::", port: 80, both: true },
    { address: "2001:db8::1", port: 81, both: false },
  ]);
});
