/** Models that turn texts into vectors. */

/** One model of one vendor. */
export interface EmbeddingModel {
  /** As the operator names it: `openai/text-embedding-3-small`. Vectors of two names never mix. */
  readonly name: string;
  /**
   * A vector for each text, in order, all of one length. Texts MUST NOT be empty. Errors: a
   * `VendorError` of its own kind; whatever it is, no vector was lost.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]>;
}

/** An answer that is no such list of vectors. */
export function isVectors(value: unknown, count: number): value is readonly number[][] {
  if (!Array.isArray(value) || value.length !== count) return false;
  const size: unknown = value[0]?.length;
  return value.every(
    (vector: unknown) =>
      Array.isArray(vector) &&
      vector.length > 0 &&
      vector.length === size &&
      vector.every((number) => typeof number === 'number' && Number.isFinite(number)),
  );
}
