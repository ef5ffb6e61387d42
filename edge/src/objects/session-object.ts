/** One stream session as a Durable Object: wires storage, sockets and the alarm to the engine. */

import { DurableObject } from 'cloudflare:workers';
import { createMemoryOutboxStore } from '@headwater/shared/callbacks/memory-store';
import { createOutbox, type OutboxEngine } from '@headwater/shared/callbacks/outbox';
import type { OutboxStore } from '@headwater/shared/callbacks/outbox-store';
import { createCallbackSender } from '@headwater/shared/callbacks/send';
import { streamGone } from '@headwater/shared/gateway/read-stream';
import {
  type GatewayError,
  toGatewayError,
  toWireError,
  type WireError,
} from '@headwater/shared/protocol/errors';
import { deriveWebhookSecret } from '@headwater/shared/security/webhook-signature';
import { type StreamEngine, startEngine } from '@headwater/shared/stream/engine';
import { parseEventId } from '@headwater/shared/stream/event';
import type { FrameFormat } from '@headwater/shared/stream/frames';
import { createMemoryLog } from '@headwater/shared/stream/memory-log';
import { createMemoryStore } from '@headwater/shared/stream/memory-store';
import type { Alarm } from '@headwater/shared/stream/ports';
import type { AttachDecision } from '@headwater/shared/stream/resume-cursor';
import type { SessionState, StreamRequest } from '@headwater/shared/stream/session-state';
import type { StreamView } from '@headwater/shared/stream/stream-view';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import { countTokens } from '@headwater/shared/text/count-tokens';
import { answerClientSocket, CLIENT_SOCKET_PATH } from '../adapters/client-socket.ts';
import { createConsoleLogger } from '../adapters/console-logger.ts';
import { createKvEventKeeper } from '../adapters/kv-event-keeper.ts';
import { createKvOutboxStore } from '../adapters/kv-outbox-store.ts';
import { createKvSessionStore, hasSession } from '../adapters/kv-session-store.ts';
import { keepMarkLate } from '../adapters/late-mark.ts';
import { createSharedAlarm, type SharedAlarm } from '../adapters/shared-alarm.ts';
import { createSocketSubscriber, type SocketSubscriber } from '../adapters/socket-subscriber.ts';
import type { Env } from '../env.ts';
import { gatewayOf } from '../gateway.ts';

/** A call's outcome; errors cross the object's border as plain data. */
export type SessionAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

const refusal = (error: GatewayError): Response =>
  Response.json(toWireError(error), { status: error.status });

/** Service restart, RFC 6455's registry: reconnect. */
const SERVICE_RESTART = 1012;

/** Every append is a message to every reader. Twenty a second read as smoothly as fifty. */
const GATHER_MS = 50;

const clock = { nowMs: () => Date.now() };

/** In a turn of its own, after everything that can be done now. */
const later = (run: () => void): void => void setTimeout(run, 0);

export class SessionObject extends DurableObject<Env> {
  #engine: StreamEngine | undefined;
  /** The start under way: a second call must not begin another. */
  #opening: Promise<StreamEngine> | undefined;
  #outbox: OutboxEngine | undefined;
  readonly #alarm: SharedAlarm;
  readonly #sessionAlarm: Alarm;
  readonly #outboxAlarm: Alarm;
  readonly #subscribers = new Map<WebSocket, SocketSubscriber>();
  readonly #logger = createConsoleLogger();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#alarm = createSharedAlarm(ctx.storage, clock.nowMs, later);
    this.#sessionAlarm = this.#alarm.named(async () => this.#engine?.wake());
    this.#outboxAlarm = this.#alarm.named(async () => this.#outbox?.wake());
    // An id nobody opened, or whose session is forgotten, must stay without storage.
    if (hasSession(ctx.storage.kv)) void ctx.blockConcurrencyWhile(() => this.#restore());
  }

  async #restore(): Promise<void> {
    // A socket that outlived the engine missed what came between: it resumes from the log.
    for (const socket of this.ctx.getWebSockets()) socket.close(SERVICE_RESTART, 'resume');
    const state = await createKvSessionStore(this.ctx.storage.kv).load();
    if (state === undefined) return;
    await this.#alarm.recall();
    await this.#start(state, 'restored');
    await this.#outbox?.rearm();
  }

  async #start(state: SessionState, origin: 'created' | 'restored'): Promise<StreamEngine> {
    const { limits } = gatewayOf(this.env).settings;
    const place = state.request.isKept ? await this.#openKept() : this.#openUnkept();
    const { outbox } = place;
    this.#outbox = outbox;
    this.#engine = await startEngine(
      state,
      {
        ...place,
        clock,
        logger: this.#logger,
        provider: ({ name }) => gatewayOf(this.env).registry.resolve(name).provider,
        countTokens,
        gatherMs: GATHER_MS,
        maxReaders: limits.maxReadersPerStream,
        maxBufferedBytes: limits.maxBufferedBytes,
        ended: () => this.#release(state.request),
        purged: () => {
          this.#engine = undefined;
          this.#outbox = undefined;
          if (state.request.isKept) void this.ctx.storage.deleteAll();
        },
      },
      origin,
    );
    return this.#engine;
  }

  /** In the object's storage, and woken by its alarm. */
  async #openKept() {
    const { kv } = this.ctx.storage;
    const keeper = createKvEventKeeper(kv);
    const log = createMemoryLog(keeper, await keeper.load());
    return {
      ...keepMarkLate(createKvSessionStore(kv), log, later),
      outbox: this.#createOutbox(createKvOutboxStore(kv)),
      alarm: this.#sessionAlarm,
    };
  }

  /** In memory alone: its reader's line holds the object, and nothing is left when that is gone. */
  #openUnkept() {
    return {
      log: createMemoryLog(),
      store: createMemoryStore(),
      outbox: this.#createOutbox(createMemoryOutboxStore()),
      alarm: createTimerAlarm(() => void this.#engine?.wake()),
    };
  }

  /** The caller may open another stream. What is not told is healed by the lease's own end. */
  #release({ subject, streamId }: StreamRequest): void {
    this.env.SUBJECTS.getByName(subject)
      .release(streamId)
      .catch((err: unknown) => this.#logger.warn({ streamId, err }, 'release failed'));
  }

  #createOutbox(store: OutboxStore): OutboxEngine {
    const { settings } = gatewayOf(this.env);
    let secrets: Promise<string[]> | undefined;
    return createOutbox({
      store,
      send: async (callback) => {
        secrets ??= Promise.all(settings.jwtSecrets.map(deriveWebhookSecret));
        const send = createCallbackSender({
          secrets: await secrets,
          fetch: (url, init) => fetch(url, init),
          nowMs: clock.nowMs,
        });
        return send(callback);
      },
      clock,
      alarm: this.#outboxAlarm,
      logger: this.#logger,
      random: Math.random,
    });
  }

  /** Keeps a new session; the same state again changes nothing. */
  async open(state: SessionState): Promise<void> {
    if (this.#engine !== undefined) return;
    this.#opening ??= this.#start(state, 'created').finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async view(): Promise<SessionAnswer<StreamView>> {
    const engine = this.#engine;
    if (engine === undefined) return { ok: false, error: toWireError(streamGone()) };
    return { ok: true, value: await engine.view() };
  }

  /** Stops the model, keeps what was said, and shows the outcome. */
  async cancel(): Promise<SessionAnswer<StreamView>> {
    await this.#engine?.cancel();
    return this.view();
  }

  /**
   * Attaches a reader: a WebSocket upgrade with `?format=` and `?after=<event id>`. Answers 101,
   * 204 when nothing is left to read, or a wire error as JSON with its status. Under
   * `CLIENT_SOCKET_PATH` the socket is the reader's own, and the answer is never 204.
   */
  override async fetch(request: Request): Promise<Response> {
    const engine = this.#engine;
    if (engine === undefined || engine.status === 'expired') {
      return refusal(streamGone());
    }
    const { pathname, searchParams: query } = new URL(request.url);
    const after = parseEventId(query.get('after') ?? '');
    let decision: AttachDecision;
    try {
      decision = engine.decide(after);
    } catch (thrown) {
      return refusal(toGatewayError(thrown));
    }
    if (pathname === CLIENT_SOCKET_PATH) {
      return answerClientSocket(engine, after, (err) =>
        this.#logger.error({ err }, 'socket reader failed'),
      );
    }
    if (decision.type === 'nothing-left') return new Response(null, { status: 204 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const subscriber = createSocketSubscriber(server, query.get('format') as FrameFormat);
    this.#subscribers.set(server, subscriber);
    engine.attach(
      subscriber,
      decision.type === 'read' ? decision.afterSeq : 0,
      decision.type === 'gap',
    );
    return new Response(null, { status: 101, webSocket: client });
  }

  override async alarm(): Promise<void> {
    await this.#alarm.ring();
  }

  /** The Worker tells how many characters its reader has taken; anything else is ignored. */
  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const chars = typeof message === 'string' ? Number(message) : Number.NaN;
    if (chars > 0) this.#subscribers.get(socket)?.acknowledge(chars);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#leave(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#leave(socket);
  }

  #leave(socket: WebSocket): void {
    const subscriber = this.#subscribers.get(socket);
    this.#subscribers.delete(socket);
    if (subscriber === undefined) return;
    this.#engine?.detach(subscriber);
    subscriber.left();
  }
}
