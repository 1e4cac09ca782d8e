/**
 * SPDY's header blocks: pairs of name and value behind their lengths, compressed with one zlib stream a direction that all
 * blocks of a connection share (SPDY draft 3.1, 2.6.10).
 */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { invalidArgument } from "#errdefs";

/** By name in lower case. Several values of one name stand in one, with NUL between. */
export type Headers = ReadonlyMap<string, string>;

/** Bytes of a block when unpacked: the few that these protocols have need some hundred. */
const maxBlock = 64 * 1024;

/** Names and values that header blocks often have, each name behind its length; both sides must know the same. */
const dictionary = makeDictionary(
  [
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow",
    "authorization cache-control connection content-base content-encoding content-language content-length content-location",
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match",
    "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range",
    "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get",
    "status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin",
  ],
  [
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505",
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden",
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable",
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,",
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
  ],
);

function makeDictionary(words: readonly string[], tail: readonly string[]): Buffer {
  const names = words
    .join(" ")
    .split(" ")
    .flatMap((word) => {
      const name = Buffer.from(word.replace("_", " "), "latin1");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(name.length);
      return [length, name];
    });
  return Buffer.concat([...names, Buffer.from(tail.join(""), "latin1")]);
}

/** What one write to a zlib stream gives, which flushes at the end of each. Only one at a time. */
function pass(stream: Deflate | Inflate, bytes: Uint8Array, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const collect = (part: Buffer): void => {
      size += part.length;
      parts.push(part);
      if (size <= limit) return;
      reject(invalidArgument(`Cannot read a SPDY header block: it unpacks to more than ${limit} bytes`));
      stream.destroy();
    };
    stream.on("data", collect);
    const failed = (error?: Error): void =>
      reject(error ?? invalidArgument("Cannot read a SPDY header block: its connection has ended"));
    stream.once("error", failed);
    stream.once("close", failed);
    stream.write(bytes, (error) => {
      stream.off("data", collect);
      if (error !== null && error !== undefined) return;
      stream.off("error", failed);
      stream.off("close", failed);
      resolve(Buffer.concat(parts));
    });
  });
}

export class HeaderEncoder {
  readonly #deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
  #last: Promise<unknown> = Promise.resolve();

  /** Blocks are to be sent in the order of the calls. */
  async encode(headers: Headers): Promise<Buffer> {
    const parts = [uint32(headers.size)];
    for (const text of [...headers].flat()) {
      const bytes = Buffer.from(text, "utf8");
      parts.push(uint32(bytes.length), bytes);
    }
    const block = this.#last.then(() => pass(this.#deflate, Buffer.concat(parts), Infinity));
    this.#last = block.catch(() => undefined);
    return await block;
  }

  close(): void {
    this.#deflate.destroy();
  }
}

export class HeaderDecoder {
  readonly #inflate = createInflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  /** @throws SampanError `invalid-argument` for a block that is broken or too large */
  async decode(block: Uint8Array): Promise<Headers> {
    const bytes = await pass(this.#inflate, block, maxBlock);
    const broken = (why: string): Error => invalidArgument(`Cannot read a SPDY header block: ${why}`);
    let at = 0;
    const next = (): number => {
      if (at + 4 > bytes.length) throw broken("it ends within a length");
      at += 4;
      return bytes.readUInt32BE(at - 4);
    };
    const text = (): string => {
      const length = next();
      if (at + length > bytes.length) throw broken("it ends within a text");
      at += length;
      return bytes.toString("utf8", at - length, at);
    };
    const headers = new Map<string, string>();
    for (let left = next(); left > 0; left -= 1) {
      const name = text().toLowerCase();
      if (headers.has(name)) throw broken(`"${name}" is there twice`);
      headers.set(name, text());
    }
    if (at !== bytes.length) throw broken("something follows its last pair");
    return headers;
  }

  close(): void {
    this.#inflate.destroy();
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
