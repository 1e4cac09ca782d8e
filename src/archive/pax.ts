/** PAX extended headers: records `LENGTH KEY=VALUE\n` (POSIX pax, "pax Interchange Format"). */

export interface PaxRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Returns what is wrong with it as a string. Keys may repeat: GNU's first sparse format does that. */
export function parsePax(data: Uint8Array): PaxRecord[] | string {
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < data.length) {
    let length = 0;
    let digits = 0;
    let next = at;
    for (; next < data.length && digits <= 10; next += 1, digits += 1) {
      const digit = (data[next] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
    }
    const end = at + length;
    if (digits === 0 || data[next] !== 0x20 || end > data.length || end <= next + 1 || data[end - 1] !== 0x0a)
      return "a PAX record has a wrong length";
    const equals = data.indexOf(0x3d, next + 1);
    if (equals < 0 || equals >= end - 1 || equals === next + 1) return "a PAX record has no key";
    const key = Buffer.from(data.subarray(next + 1, equals)).toString("utf8");
    if (key.includes("\0")) return "a PAX record's key has a NUL in it";
    records.push({ key, value: data.subarray(equals + 1, end - 1) });
    at = end;
  }
  return records;
}
