/** A random afternoon of one stream: who reads how, what the model does, and what must come of it. */

import { scriptedPrompt, type VendorDirective } from '@headwater/shared/testing/vendors/directive';
import fc from 'fast-check';
import { openSurely } from '../hosts/gateway-client.ts';
import { type Mood, type PatientResult, readPatiently } from '../hosts/patient-reader.ts';
import type { World } from '../hosts/world.ts';

/** One thing a reader does once, after so many events. */
interface Whim {
  readonly afterEvents: number;
  readonly mood: Mood;
}

/** One reader. */
interface ReaderPlan {
  /** It comes this long after the stream was opened, in ms. */
  readonly delayMs: number;
  readonly whims: readonly Whim[];
}

/** One stream's schedule. */
export interface Schedule {
  readonly model: 'gpt-4o' | 'claude-sonnet-5-5';
  readonly fallback: boolean;
  readonly directive: VendorDirective;
  readonly readers: readonly ReaderPlan[];
}

const mood: fc.Arbitrary<Mood> = fc.oneof(
  fc.constant<Mood>('cut'),
  fc.constant<Mood>('reload'),
  fc.integer({ min: 1, max: 80 }).map((stallMs): Mood => ({ stallMs })),
);

/** Random schedules, sized so that one takes about a second. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  model: fc.constantFrom('gpt-4o', 'claude-sonnet-5-5'),
  fallback: fc.boolean(),
  directive: fc
    .record({
      tokens: fc.integer({ min: 1, max: 120 }),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
      delayMs: fc.integer({ min: 1, max: 12 }),
      bytesPerWrite: fc.option(fc.integer({ min: 31, max: 400 }), { nil: undefined }),
      fault: fc.option(fc.constantFrom('cut', 'cut-mid-event', 'malformed', 'no-finish'), {
        nil: undefined,
        freq: 4,
      }),
    })
    .map(({ bytesPerWrite, fault, ...rest }) => ({
      ...rest,
      // A token then takes several writes, each with its pause.
      ...(bytesPerWrite === undefined ? {} : { bytesPerWrite, delayMs: 1 }),
      ...(fault === undefined ? {} : { fault }),
    })),
  readers: fc.array(
    fc.record({
      delayMs: fc.integer({ min: 0, max: 800 }),
      whims: fc.array(fc.record({ afterEvents: fc.integer({ min: 1, max: 100 }), mood }), {
        maxLength: 4,
      }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

/** Plays a schedule and returns what was wrong: nothing, in a good run. */
export async function playSchedule(
  world: World,
  name: string,
  schedule: Schedule,
): Promise<readonly string[]> {
  const { receiver } = world;
  const resumeUrl = receiver.urlFor(name);
  const streamUrl = await openSurely(world.host.baseUrl, name, {
    resumeUrl,
    prompt: scriptedPrompt(schedule.directive),
    model: schedule.model,
    ...(schedule.fallback ? { fallbackModels: ['gpt-4o-mini'] } : {}),
  });
  const reads = await Promise.all(schedule.readers.map((plan) => follow(streamUrl, plan)));
  const { body } = await receiver.attempt(name);
  const wrong = reads.flatMap((read, at) => faultsOf(read, body).map((why) => `${at}: ${why}`));
  const ids = new Set(receiver.received(name).map(({ headers }) => headers['webhook-id']));
  if (ids.size !== 1) wrong.push(`${ids.size} callbacks`);
  const answers = new Set(receiver.received(name).map(({ raw }) => raw));
  if (answers.size !== 1) wrong.push('two callbacks that say different things');
  return wrong;
}

async function follow(streamUrl: string, plan: ReaderPlan): Promise<PatientResult> {
  await new Promise((resolve) => setTimeout(resolve, plan.delayMs));
  const whims = [...plan.whims];
  return readPatiently(streamUrl, {
    mood(events) {
      const at = whims.findIndex(({ afterEvents }) => afterEvents <= events);
      const [whim] = at === -1 ? [] : whims.splice(at, 1);
      return whim?.mood ?? 'read';
    },
  });
}

function faultsOf(read: PatientResult, told: Readonly<Record<string, unknown>>): string[] {
  const wrong = [...read.breaches];
  if (read.text !== told['answer']) {
    wrong.push(`read ${JSON.stringify(read.text)}, but told ${JSON.stringify(told['answer'])}`);
  }
  const ended = read.end['type'] === 'done' ? read.end['status'] : 'failed';
  if (ended !== told['status']) wrong.push(`ended ${String(ended)}, told ${told['status']}`);
  return wrong;
}
