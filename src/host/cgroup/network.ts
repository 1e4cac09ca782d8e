import { parseNumber, readText } from "./files.ts";

export interface NetworkInterfaceStats {
  readonly name: string;
  readonly rxBytes: bigint;
  readonly rxPackets: bigint;
  readonly rxErrors: bigint;
  readonly rxDropped: bigint;
  readonly txBytes: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  readonly txDropped: bigint;
}

/** /proc/PID/net/dev: two head lines, then `NAME:` with eight numbers received and eight sent. */
export function parseNetDev(text: string): readonly NetworkInterfaceStats[] {
  const interfaces: NetworkInterfaceStats[] = [];
  for (const line of text.split("\n")) {
    const colon = line.lastIndexOf(":");
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map((word) => parseNumber(word) ?? 0n);
    const name = line.slice(0, colon).trim();
    if (colon < 0 || name === "" || numbers.length < 16) continue;
    const at = (index: number): bigint => numbers[index] ?? 0n;
    interfaces.push({
      name,
      rxBytes: at(0),
      rxPackets: at(1),
      rxErrors: at(2),
      rxDropped: at(3),
      txBytes: at(8),
      txPackets: at(9),
      txErrors: at(10),
      txDropped: at(11),
    });
  }
  return interfaces;
}

/** Interfaces in the network namespace of a process; none when it has ended. */
export function readNetworkStats(pid: number): readonly NetworkInterfaceStats[] {
  return parseNetDev(readText(`/proc/${pid}/net/dev`) ?? "");
}
