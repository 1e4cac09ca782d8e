/** One attached or exec'd process, between the stream of a call and its monitor. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { invalidArgument, resourceExhausted } from "#errdefs";
import type { Attachment } from "#engine";
import { SessionResponseSchema, type SessionResponse, type Size } from "../gen/sampan/v1/containers_pb.ts";
import { Handoff } from "../codec/handoff.ts";

/** Bytes of output that wait for a slow client before the process has to. */
const maxWaiting = 256 * 1024;

/** Of AttachRequest and ExecRequest, behind the first. */
type SessionInput =
  | { readonly case: "input"; readonly value: Uint8Array }
  | { readonly case: "closeInput"; readonly value: boolean }
  | { readonly case: "resize"; readonly value: Size }
  | { readonly case: "open"; readonly value: unknown }
  | { readonly case: undefined; readonly value?: undefined };

interface SessionMessage {
  readonly message: SessionInput;
}

const response = (message: MessageInitShape<typeof SessionResponseSchema>["message"]): SessionResponse =>
  create(SessionResponseSchema, message === undefined ? {} : { message });

/** The first message of a call, which says what it is about, and the others. */
export async function opening<M extends SessionMessage>(
  messages: AsyncIterable<M>,
): Promise<{ readonly open: Extract<M["message"], { case: "open" }>["value"]; readonly rest: AsyncIterator<M> }> {
  const rest = messages[Symbol.asyncIterator]();
  const first = await rest.next();
  const message: SessionInput | undefined = first.done === true ? undefined : first.value.message;
  if (message?.case !== "open") throw invalidArgument("Cannot open a session: the first message does not say which");
  return { open: message.value as never, rest };
}

/**
 * How long, in milliseconds, a client may take nothing of the output while much of it waits: then it is detached, so that the
 * container goes on. Who has started it may be a person before a pager.
 */
export const stallOf = { attached: 1000, started: 60_000 } as const;

/**
 * Output of the session until its end. When the client goes, the session is detached from, and its process runs on.
 *
 * @param input what the client sends; undefined when it sends nothing
 * @param stall see {@link stallOf}; without it the process waits for its client
 */
export async function* serveSession(
  session: Attachment,
  pid: number,
  input: AsyncIterator<SessionMessage> | undefined,
  stall?: number,
): AsyncGenerator<SessionResponse, void, void> {
  try {
    const output = new Handoff<SessionResponse>(maxWaiting);
    session.onOutput((stream, data) => {
      const room = output.put(response({ case: "output", value: { stream, data } }), data.length);
      return room === undefined || stall === undefined ? room : patience(room, output, stall);
    });
    session.exited.then(
      (exited) => {
        void output.put(response({ case: "exited", value: exited }), 0);
        output.end();
      },
      (error: unknown) => output.fail(error),
    );
    if (input !== undefined) void takeInput(session, input, output);
    yield response({ case: "opened", value: { pid } });
    yield* output;
  } finally {
    session.close();
  }
}

/** Rejects, which ends the session, when nothing is taken for so long. */
async function patience(room: Promise<void>, output: Handoff<SessionResponse>, stall: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    let seen = output.taken;
    timer = setInterval(() => {
      if (output.taken === seen)
        reject(
          resourceExhausted("Cannot send more output: the client does not take it", {
            remedy: "The container runs on; see its log",
          }),
        );
      seen = output.taken;
    }, stall);
  });
  try {
    await Promise.race([room, stalled]);
  } finally {
    clearInterval(timer);
  }
}

/** The end of the client's messages is the end of the input. */
async function takeInput(
  session: Attachment,
  input: AsyncIterator<SessionMessage>,
  output: Handoff<SessionResponse>,
): Promise<void> {
  try {
    for (let next = await input.next(); next.done !== true; next = await input.next()) {
      const { message } = next.value;
      switch (message.case) {
        case "input":
          await session.write(message.value);
          break;
        case "closeInput":
          session.closeInput();
          break;
        case "resize":
          session.resize(message.value.columns, message.value.rows);
          break;
        case "open":
        case undefined:
          throw invalidArgument("Cannot use the session: a message says nothing, or opens it again");
      }
    }
    session.closeInput();
  } catch (error) {
    output.fail(error);
  }
}
