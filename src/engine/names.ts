/** Names and ids of containers. */
import { closeSync, openSync, readSync } from "node:fs";
import { invalidArgument } from "#errdefs";

const adjectives =
  "able amber brave brisk calm clear cosy deft early eager fair fleet fresh gentle glad golden happy humble jolly keen kind light lively lucky merry mild neat nimble noble plain proud quick quiet ready rosy sharp silver smooth snug steady still stout sunny swift tidy trim true warm wise young".split(
    " ",
  );
const boats =
  "barge bark brig canoe caravel carrack catboat clipper cog coracle corvette cutter dhow dinghy dory felucca ferry frigate galleon galley gig gondola hoy jolly junk kayak keelboat ketch knarr launch lugger packet pinnace piroga pram proa punt raft sampan schooner scow shallop skiff sloop smack tender trow tug wherry xebec yacht yawl".split(
    " ",
  );

/** From the kernel: loading node:crypto takes a command longer than the kernel takes to make a container. */
function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const file = openSync("/dev/urandom", "r");
  try {
    readSync(file, bytes);
  } finally {
    closeSync(file);
  }
  return bytes;
}

const randomBelow = (limit: number): number => randomBytes(4).readUInt32LE() % limit;

/** 64 hexadecimal digits. */
export function newId(): string {
  return randomBytes(32).toString("hex");
}

/** `swift_cutter`; a number is added from the third try on. */
export function randomName(attempt: number): string {
  const name = `${adjectives[randomBelow(adjectives.length)]}_${boats[randomBelow(boats.length)]}`;
  return attempt < 2 ? name : `${name}${randomBelow(1000)}`;
}

/** Docker's rule: a letter or digit, then at least one of letters, digits, `_`, `.`, `-`. */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(name))
    throw invalidArgument(
      `Cannot use name "${name}": it must be 2 to 128 letters, digits, "_", "." and "-", and begin with a letter or digit`,
    );
}
