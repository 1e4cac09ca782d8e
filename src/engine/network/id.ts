import { createHash } from "node:crypto";
import type { NetworkRecord } from "#network";

/** 64 hexadecimal digits that follow from the record, so that they are the same in all processes. */
export const networkId = ({ name, createdAt }: NetworkRecord): string =>
  createHash("sha256").update(`${name}\0${createdAt}`).digest("hex");

/** Of a CNI network, by its name alone. */
export const cniNetworkId = (name: string): string => createHash("sha256").update(`cni\0${name}`).digest("hex");
