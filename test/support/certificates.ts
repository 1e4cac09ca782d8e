/** Certificates of an authority of the test's own, made by openssl. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustHere } from "./process.ts";

export interface Pair {
  /** Paths, and what is in there, in PEM. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly #directory: string;
  readonly file: string;
  readonly cert: string;

  private constructor(directory: string, cert: string) {
    this.#directory = directory;
    this.file = join(directory, "ca.crt");
    this.cert = cert;
  }

  static async create(directory: string): Promise<Authority> {
    await mkdir(directory, { recursive: true });
    const [key, file] = [join(directory, "ca.key"), join(directory, "ca.crt")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const subject = ["-subj", "/CN=Sampan test authority", "-days", "2"];
    await mustHere(["openssl", "req", "-x509", ...curve, "-keyout", key, "-out", file, ...subject]);
    return new Authority(directory, await readFile(file, "utf8"));
  }

  /** @param names as in a certificate's subjectAltName, e.g. `IP:127.0.0.1` */
  async issue(name: string, names: string): Promise<Pair> {
    const path = (end: string): string => join(this.#directory, `${name}.${end}`);
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    await mustHere(["openssl", "req", ...curve, "-keyout", path("key"), "-out", path("csr"), "-subj", `/CN=${name}`]);
    await writeFile(path("ext"), `subjectAltName=${names}\n`);
    const sign = ["-CA", this.file, "-CAkey", join(this.#directory, "ca.key"), "-days", "2", "-extfile", path("ext")];
    await mustHere(["openssl", "x509", "-req", "-in", path("csr"), "-out", path("cert"), ...sign]);
    const [certFile, keyFile] = [path("cert"), path("key")];
    return { certFile, keyFile, cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
  }
}
