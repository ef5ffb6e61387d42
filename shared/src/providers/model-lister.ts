/** What a vendor does that can say which models it has. */

/** A model, by the vendor's own name; the field names are those of OpenAI's list. */
export interface ListedModel {
  readonly id: string;
  /** When it was made, in seconds since 1970, where the vendor says so. */
  readonly created?: number;
  readonly owned_by: string;
}

/**
 * `listModels` MUST ask the vendor each time, MUST give up after {@link LIST_TIMEOUT_MS}, and MUST
 * throw only GatewayError.
 */
export interface ModelLister {
  listModels(): Promise<readonly ListedModel[]>;
}

/** A list is small and nobody streams it: five seconds is a failure. */
export const LIST_TIMEOUT_MS = 5000;
