import { connectRedis } from './src/adapters/redis-connection.ts';
import { createClusterRegistry } from './src/sessions/cluster-registry.ts';
import { startRedis } from './src/testing/redis-server.ts';
import { createRecordingOutbox } from '@headwater/shared/testing/recording-outbox';
import { newSession } from '@headwater/shared/stream/session-state';
import { aStreamRequest } from '@headwater/shared/testing/session-fixtures';
import { createRecordingSubscriber } from '@headwater/shared/testing/recording-subscriber';
const server = await startRedis(['--appendonly','yes']);
const outbox = createRecordingOutbox();
const asked = { a: 0, b: 0 };
const logger = { info() {}, warn() {}, error(f: unknown, m: string) { console.log(m, f); } };
async function join(name: 'a' | 'b') {
  const redis = connectRedis(server.url, () => undefined);
  const registry = await createClusterRegistry({ redis, outbox, clock: { nowMs: () => Date.now() }, logger, maxReaders: 1000, maxBufferedBytes: 1e6, ended() {},
    registry: { resolve: (n) => ({ model: 'echo', name: n ?? '', provider: { name: 'echo', async *stream(_r, signal) {
      asked[name] += 1;
      for (let i = 0; i < 300 && !signal.aborted; i += 1) { yield [{ type: 'text', text: `w${i} ` }]; await new Promise((r) => setTimeout(r, 50)); }
      yield [{ type: 'usage', inputTokens: 1, outputTokens: 300 }, { type: 'finish', reason: 'stop' }];
    } } }) } });
  return { redis, registry };
}
const [a, b] = [await join('a'), await join('b')];
const N = 500;
const ids: string[] = [];
const t0 = Date.now();
for (let i = 0; i < N; i += 1) { const s = newSession(aStreamRequest({ streamId: crypto.randomUUID(), start: 'now' }), { ttlMs: 60000, retentionMs: 600000 }, Date.now()); ids.push(s.request.streamId); await a.registry.create(s); }
console.log('created', N, Date.now() - t0, 'ms');
const readers = await Promise.all(ids.map(async (id) => { const r = createRecordingSubscriber(); const h = await b.registry.get(id); h?.attach(r, 0); return r; }));
const cpu0 = process.cpuUsage();
await new Promise((r) => setTimeout(r, 4000));
const cpu = process.cpuUsage(cpu0); console.log('cpu over 4 s (both instances + readers)', (cpu.user + cpu.system) / 1000, 'ms; asked', asked);
const cut = Date.now();
a.redis.disconnect();
while (asked.b < N && Date.now() - cut < 20000) await new Promise((r) => setTimeout(r, 10));
console.log('all taken over after', Date.now() - cut, 'ms', asked);
while (readers.some((r) => !r.ended) && Date.now() - cut < 40000) await new Promise((r) => setTimeout(r, 50));
const whole = Array.from({ length: 300 }, (_, i) => `w${i} `).join('');
let good = 0; for (const r of readers) { const e = r.events(); const at = e.map((x) => x.type).lastIndexOf('restart'); if (e.slice(at).map((x) => (x.type === 'delta' ? x.text : '')).join('') === whole) good += 1; }
console.log('readers with the whole text', good, 'of', N, 'callbacks', outbox.kept.length, 'done after', Date.now() - cut);
b.redis.disconnect(); await server.stop(); process.exit(0);
