/** What is left of a document once its format is gone: text, and where its parts are. */

/** One part of the text. Offsets are UTF-16 code units of {@link DocumentText.text}, end exclusive. */
export interface TextBlock {
  readonly kind: 'heading' | 'paragraph' | 'list' | 'code' | 'table';
  readonly start: number;
  readonly end: number;
  /** 1–6, of headings. */
  readonly level?: number;
  /** 1-based, of documents with pages. */
  readonly page?: number;
}

/** The text of a document, whose blocks are in order, do not overlap and leave out only white space. */
export interface DocumentText {
  readonly text: string;
  readonly blocks: readonly TextBlock[];
  /** As the document itself names it. */
  readonly title?: string;
  readonly language?: string;
}

/** A piece of a document that is found as one: `text.slice(start, end)`. */
export interface PassageSpan {
  readonly start: number;
  readonly end: number;
  /** The headings above it, outermost first, joined by ` › `; `''` where there is none. */
  readonly heading: string;
  readonly page?: number;
}
