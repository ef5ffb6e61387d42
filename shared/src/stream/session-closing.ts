/** The end of a session: its tokens are counted, all of it is kept, it is told, and later forgotten. */

import { callbackIdOf, callbackPayload } from './callback-payload.ts';
import { answerOf, writtenOf } from './log-reading.ts';
import type {
  DeliveryView,
  Logger,
  MaybePromise,
  Outbox,
  SessionStore,
  StreamLog,
} from './ports.ts';
import type { SessionState } from './session-state.ts';

/** What the end of a session is wired to. */
export interface ClosingPorts {
  readonly log: StreamLog;
  readonly store: SessionStore;
  readonly outbox: Outbox;
  readonly logger: Logger;
  countTokens(text: string): Promise<number>;
  state(): SessionState;
  /** True once another host answers for the session: from then on nothing is kept or told. */
  isLost(): boolean;
  /** What log lines say of the session. */
  fields(): Readonly<Record<string, unknown>>;
  /** As `EnginePorts.asOne`. */
  asOne?(work: () => void): MaybePromise<void>;
}

/** The end of one session. */
export interface SessionClosing {
  /** True once the callback is kept: from then on no failure can change what it says. */
  readonly isKept: boolean;
  /** True once the store has the ended state. */
  readonly isAtRest: boolean;
  /** Tokens of the request and of what the model wrote; 0 where they cannot be counted. */
  count(): Promise<{ inputTokens: number; outputTokens: number }>;
  /**
   * Keeps events, callback and state: as one where the host can. Else events first, callback second,
   * state third: a crash between them finds the end in the log and repeats the rest, which changes
   * nothing. Then calls `kept`, unless the session was lost.
   */
  keep(kept: () => void): Promise<void> | undefined;
  /** Calls home with what can still be read of the answer, and keeps the state where it can be. */
  keepBroken(): Promise<void>;
  delivery(): MaybePromise<DeliveryView | undefined>;
  /** Forgets everything; false while the callback is still on its way. */
  forget(): Promise<boolean>;
}

/** Makes the end; `isKept` says that it was kept before. */
export function createClosing(ports: ClosingPorts, isKept: boolean): SessionClosing {
  const { streamId, resumeUrl, messages } = ports.state().request;
  const callbackId = callbackIdOf(streamId);
  let hasKept = isKept;
  let isAtRest = isKept;

  function callHome(answer: string): MaybePromise<void> {
    if (resumeUrl === undefined) return undefined;
    const body = JSON.stringify(callbackPayload(ports.state(), answer));
    return ports.outbox.enqueue({ id: callbackId, url: resumeUrl, body });
  }

  /** Calls a port so that a refusal at once and a later one look the same; a refusal is logged. */
  async function attempt<T>(call: () => MaybePromise<T>, refusal: string): Promise<T | undefined> {
    try {
      return await call();
    } catch (err) {
      // The session is broken already: what can still be done for it is done.
      ports.logger.error({ ...ports.fields(), err }, refusal);
      return undefined;
    }
  }

  const answer = () => answerOf(ports.log, ports.state().epoch);

  function keepAnswer(text: string, kept: () => void): Promise<void> | undefined {
    if (ports.isLost()) return undefined;
    const called = callHome(text);
    return called instanceof Promise ? called.then(() => keepState(kept)) : keepState(kept);
  }

  function keepState(kept: () => void): Promise<void> | undefined {
    hasKept = true;
    if (ports.isLost()) return undefined;
    const saved = ports.store.save(ports.state());
    if (!(saved instanceof Promise)) return show(kept);
    return saved.then(() => show(kept));
  }

  function keepAsOne(
    asOne: (work: () => void) => MaybePromise<void>,
    kept: () => void,
  ): Promise<void> | undefined {
    const whole = asOne(() => {
      forgo(ports.log.seal());
      const text = answer();
      // A host that keeps all as one has the log at hand.
      if (text instanceof Promise) throw new TypeError('The log does not answer at once.');
      forgo(callHome(text));
      forgo(ports.store.save(ports.state()));
    });
    const finish = (): undefined => {
      hasKept = true;
      return show(kept);
    };
    return whole instanceof Promise ? whole.then(finish) : finish();
  }

  function show(kept: () => void): undefined {
    isAtRest = true;
    if (!ports.isLost()) kept();
  }

  return {
    get isKept() {
      return hasKept;
    },
    get isAtRest() {
      return isAtRest;
    },
    async count() {
      const { status, lastSeq, epoch, heldText } = ports.state();
      const wasAsked = lastSeq > 0 || status === 'streaming';
      let inputTokens = 0;
      let outputTokens = 0;
      try {
        const prompt = messages.map(({ content }) => content).join('\n');
        if (wasAsked) inputTokens = await ports.countTokens(prompt);
        outputTokens = await ports.countTokens((await writtenOf(ports.log, epoch)) + heldText);
      } catch (err) {
        // A stream must end even where its tokens cannot be counted.
        ports.logger.error({ ...ports.fields(), err }, 'token count failed');
      }
      return { inputTokens, outputTokens };
    },
    keep(kept) {
      const { status, lastSeq, usage } = ports.state();
      ports.logger.info({ ...ports.fields(), status, events: lastSeq, ...usage }, 'stream ended');
      if (ports.asOne !== undefined) return keepAsOne(ports.asOne, kept);
      const sealed = ports.log.seal();
      const text = sealed instanceof Promise ? sealed.then(answer) : answer();
      if (!(text instanceof Promise)) return keepAnswer(text, kept);
      return text.then((read) => keepAnswer(read, kept));
    },
    async keepBroken() {
      const text = await attempt(answer, 'answer is not readable');
      if (ports.isLost()) return;
      let isTold = false;
      await attempt(async () => {
        await callHome(text ?? '');
        isTold = true;
      }, 'callback could not be kept');
      // A session that is kept as live begins again after a restart, and its callback comes then.
      if (ports.isLost() || !isTold) return;
      await attempt(async () => {
        await ports.store.save(ports.state());
        isAtRest = true;
      }, 'state could not be kept');
      hasKept = true;
    },
    delivery: () => (resumeUrl === undefined ? undefined : ports.outbox.view(callbackId)),
    async forget() {
      if (resumeUrl !== undefined) {
        const delivery = await ports.outbox.view(callbackId);
        if (delivery?.status === 'pending') return false;
        await ports.outbox.forget(callbackId);
      }
      await ports.log.drop();
      await ports.store.drop();
      return true;
    },
  };
}

/** A write that is part of a whole: the whole tells what became of it. */
function forgo(write: MaybePromise<void>): void {
  if (write instanceof Promise) write.catch(() => undefined);
}
