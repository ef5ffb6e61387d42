/** Which models a policy means, of those that are live. */

import type { ProviderName } from '../providers/contract.ts';
import { routeModel } from '../providers/route-model.ts';
import type { FirstWords } from './first-words.ts';
import type { ModelPolicy } from './model-policy.ts';
import { type GivenPrices, priceOf, RANKED_MODELS } from './model-prices.ts';

/** What the choice is made from. */
export interface ChoiceGround {
  isLive(provider: ProviderName): boolean;
  /** Names of the models that Ollama has, as a caller may ask for them. */
  readonly ollamaModels: readonly string[];
  /** The settings `POLICY_…`: the models of a policy, the first one first. */
  readonly policies: Readonly<Partial<Record<ModelPolicy, readonly string[]>>>;
  readonly prices: GivenPrices;
  readonly words: Pick<FirstWords, 'timeOf'>;
}

/** The model asked, and those that take over. */
const MAX_CHOSEN = 3;

/** Ollama lists these too, and they answer no prompt. */
const NO_CHAT = /embed|^ollama\/(?:bge|all-minilm|granite-embedding|paraphrase)|rerank/;

interface Candidate {
  readonly name: string;
  readonly provider: ProviderName;
  readonly model: string;
  readonly bestRank: number;
  readonly fastRank: number;
}

/**
 * The models of a policy, the first one first: those of the setting where it names a live one, else
 * `cheap` by price, `fast` by the measured time to a first word and then by rank, `best` by rank. The
 * best one of another vendor takes over first. Empty where no vendor is live but the simulation.
 */
export function chooseModels(policy: ModelPolicy, ground: ChoiceGround): readonly string[] {
  const named = (ground.policies[policy] ?? []).filter((name) => {
    const route = routeModel(name);
    return route !== undefined && ground.isLive(route.provider);
  });
  if (named.length > 0) return named.slice(0, MAX_CHOSEN);
  const ordered = candidatesOf(ground).toSorted(ORDERS[policy](ground));
  return spread(ordered).map(({ name }) => name);
}

function candidatesOf({ isLive, ollamaModels }: ChoiceGround): readonly Candidate[] {
  const listed = RANKED_MODELS.filter(({ provider }) => isLive(provider)).map(
    (ranked): Candidate => ({ ...ranked, name: ranked.model }),
  );
  if (!isLive('ollama')) return listed;
  const local = ollamaModels
    .filter((name) => !NO_CHAT.test(name))
    .map((name, at): Candidate => {
      // Nobody has ranked what an operator has pulled: after those of the vendors, as Ollama lists it.
      const rank = RANKED_MODELS.length + 1 + at;
      const model = routeModel(name)?.model ?? name;
      return { name, provider: 'ollama', model, bestRank: rank, fastRank: rank };
    });
  return [...listed, ...local];
}

type Order = (ground: ChoiceGround) => (one: Candidate, other: Candidate) => number;

const byRank: Order = () => (one, other) => one.bestRank - other.bestRank;

const ORDERS: Readonly<Record<ModelPolicy, Order>> = {
  best: byRank,
  cheap: (ground) => {
    // An answer has about as many tokens as its prompt.
    const costOf = ({ name }: Candidate) => {
      const price = priceOf(name, ground.prices);
      return price === undefined ? Number.POSITIVE_INFINITY : price.inputUsd + price.outputUsd;
    };
    return (one, other) => compare(costOf(one), costOf(other)) || one.bestRank - other.bestRank;
  },
  fast: ({ words }) => {
    const timeOf = ({ provider, model }: Candidate) =>
      words.timeOf(provider, model) ?? Number.POSITIVE_INFINITY;
    return (one, other) => compare(timeOf(one), timeOf(other)) || one.fastRank - other.fastRank;
  },
};

/** Unlike a difference, it takes two infinities for equal. */
function compare(one: number, other: number): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The first, then the first of each other vendor, then what follows: a vendor seldom fails alone. */
function spread(ordered: readonly Candidate[]): readonly Candidate[] {
  const firsts = ordered.filter(
    ({ provider }, at) => ordered.findIndex((other) => other.provider === provider) === at,
  );
  return [...new Set([...firsts, ...ordered])].slice(0, MAX_CHOSEN);
}
