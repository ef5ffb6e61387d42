/** Questions to documents: finds passages, asks a model about them, and says which it cites. */

import { createHmac } from 'node:crypto';
import type { RagCitation, RagRequest, RagSource } from '@headwater/shared/protocol/ai-rag';
import { wishOf } from '@headwater/shared/protocol/answer-options';
import type { StreamEvent } from '@headwater/shared/stream/event';
import { filterText, type TextRules } from '@headwater/shared/stream/text-filter';
import { absenceIn } from '@headwater/shared/text/rag/absence';
import { readCitations } from '@headwater/shared/text/rag/citations';
import { ABSENCE_TOKEN, ragMessages } from '@headwater/shared/text/rag/rag-prompt';
import type {
  AnswerService,
  AnswerWish,
  OpenedAnswer,
  TextAnswer,
} from '../answers/answer-service.ts';
import type { FoundPassage, PassageLibrary } from '../retrieval/passage-library.ts';

/** Characters of the turn before that help to find what a short question means. */
const CONTEXT_CHARS = 500;

/** What it is wired to. */
export interface RagPorts {
  readonly answers: Pick<AnswerService, 'ask' | 'open'>;
  readonly library: Pick<PassageLibrary, 'search'>;
  /**
   * Makes boundaries that nobody who writes a document can know; equal requests have equal ones, so
   * that a kept answer is found again.
   */
  readonly boundaryKey: string;
}

/** An answer, and what it rests on. */
interface RagAnswer {
  readonly answer: string;
  /** False where the documents do not answer, or the answer cites none of them. */
  readonly found: boolean;
  readonly citations: readonly RagCitation[];
  /** What the model was given, in order. */
  readonly sources: readonly RagSource[];
  /** Absent where nothing was found: then no model was asked. */
  readonly by?: TextAnswer;
}

/** Answers questions. Errors: those of the library and of the answers. */
export interface RagService {
  answer(owner: string, asked: RagRequest, signal: AbortSignal): Promise<RagAnswer>;
  /**
   * Begins an answer that streams: a note `sources` comes first, then the text. It is held to the same
   * rules as a whole one before anybody sees it: the agreed word for "not there" never shows, not even
   * half of it, but becomes the sentence; markers that name no source and pictures are left out.
   */
  open(owner: string, asked: RagRequest, requestBaseUrl: string): Promise<OpenedAnswer>;
}

/** Makes the service. */
export function createRagService({ answers, library, boundaryKey }: RagPorts): RagService {
  async function prepare(owner: string, asked: RagRequest) {
    const question = asked.query ?? asked.question ?? '';
    const passages = await library.search({
      owner,
      query: searchTextOf(question, asked),
      limit: asked.top_k,
      collection: asked.collection,
      documentIds: asked.document_ids,
    });
    const absence = absenceIn(asked.language);
    const rules: TextRules = { token: ABSENCE_TOKEN, absence, sources: passages.length };
    const wish = wishFor(owner, asked, question, passages, rules);
    return { passages, absence, rules, wish };
  }

  function wishFor(
    owner: string,
    asked: RagRequest,
    question: string,
    passages: readonly FoundPassage[],
    textRules: TextRules,
  ): AnswerWish {
    const { system, language, messages: history = [] } = asked;
    const content = JSON.stringify([owner, question, system, language, history, passages]);
    const boundary = createHmac('sha256', boundaryKey).update(content).digest('hex').slice(0, 32);
    return {
      ...wishOf(asked),
      subject: owner,
      messages: ragMessages({ question, passages, boundary, system, history, language }),
      textRules,
    };
  }

  return {
    async answer(owner, asked, signal) {
      const { passages, absence, rules, wish } = await prepare(owner, asked);
      if (passages.length === 0) {
        return { answer: absence, found: false, citations: [], sources: [] };
      }
      const by = await answers.ask(wish, signal);
      const answer = filterText(rules, by.text).trim();
      const isAbsent = answer === absence || answer === '';
      const citations = isAbsent ? [] : citationsOf(answer, passages);
      return {
        answer: answer === '' ? absence : answer,
        found: citations.length > 0,
        citations,
        sources: passages.map(sourceOf),
        by,
      };
    },
    async open(owner, asked, requestBaseUrl) {
      const { passages, absence, wish } = await prepare(owner, asked);
      const sources: StreamEvent = {
        type: 'note',
        name: 'sources',
        data: { sources: passages.map(sourceOf) },
      };
      const given = passages.length === 0 ? { given: absence } : {};
      return answers.open({ ...wish, preface: [sources], ...given }, requestBaseUrl);
    },
  };
}

/** A question such as "and when?" is about what was asked before it. */
function searchTextOf(question: string, { messages = [] }: RagRequest): string {
  const before = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return before === '' ? question : `${question}\n${before.slice(0, CONTEXT_CHARS)}`;
}

function citationsOf(answer: string, passages: readonly FoundPassage[]): RagCitation[] {
  return readCitations(answer, passages).flatMap(({ source, start, end, quote, marker }) => {
    const passage = passages[source - 1];
    if (passage === undefined) return [];
    const { text: _text, score: _score, ...place } = sourceOf(passage, source - 1);
    return [{ ...place, marker, start, end, quote }];
  });
}

function sourceOf(passage: FoundPassage, at: number): RagSource {
  const { documentId, passageId, title, heading, page, start, end, text, score } = passage;
  const marker = `[${at + 1}]`;
  return {
    marker,
    document_id: documentId,
    passage_id: passageId,
    title,
    heading,
    page,
    start,
    end,
    text,
    score,
  };
}
