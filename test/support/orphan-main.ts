/** What an OCI runtime's `create` does with keel, as a command: creates what its argument says, and prints the answer to descriptor 2. */
import { deserialize } from "node:v8";
import { writeSync } from "node:fs";
import { KeelExecutor, type CreateOptions, type KeelOptions } from "#keel";
import { isSampanError } from "#errdefs";

const { keel, create } = deserialize(Buffer.from(process.argv[2] ?? "", "base64")) as {
  readonly keel: KeelOptions;
  readonly create: CreateOptions;
};
const answer = async (): Promise<unknown> => {
  await using executor = new KeelExecutor(keel);
  try {
    return await executor.create(create);
  } catch (error) {
    if (!isSampanError(error)) throw error;
    return { code: error.code, message: error.message, fields: error.fields };
  }
};
writeSync(2, `${JSON.stringify(await answer())}\n`);
