/** Many passages out of few. */

/** Of a linear congruential generator (Numerical Recipes): every run makes the same passages. */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;

/**
 * As many as asked for, each after one of the data: half of its words stay; the others are drawn
 * from all words of the data, and so by their own frequencies; one in twenty gets a number, so that
 * the vocabulary grows with the text as it does in real ones.
 */
export function* makePassages(passages: readonly string[], count: number): Generator<string> {
  const words = passages.flatMap((passage) => passage.split(' '));
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, MULTIPLIER) + INCREMENT) >>> 0;
    return seed / 2 ** 32;
  };
  const vary = (word: string) => {
    const dice = random();
    if (dice < 0.5) return word;
    if (dice < 0.95) return words[Math.floor(random() * words.length)] ?? word;
    return `${word}${Math.floor(random() * random() * 100_000)}`;
  };
  for (let n = 0; n < count; n += 1) {
    const passage = passages[n % passages.length] ?? '';
    yield passage.split(' ').map(vary).join(' ');
  }
}
