/** Questions and the passages that answer them: XQuAD in English (Artetxe et al. 2020). */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The data as it is read. */
export interface QuestionData {
  readonly passages: readonly string[];
  /** `passage` is the place of the one that answers it. */
  readonly questions: readonly { readonly text: string; readonly passage: number }[];
}

interface SquadFile {
  readonly data: readonly {
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly { readonly question: string }[];
    }[];
  }[];
}

/** Beside the repository: it is no part of it. */
const FILE = '../shared/data/rag/xquad.en.json';

/** Undefined where the file is not there. */
export function readQuestions(root: string): QuestionData | undefined {
  const path = join(root, FILE);
  if (!existsSync(path)) return undefined;
  const { data } = JSON.parse(readFileSync(path, 'utf8')) as SquadFile;
  const paragraphs = data.flatMap((article) => article.paragraphs);
  return {
    passages: paragraphs.map(({ context }) => context),
    questions: paragraphs.flatMap(({ qas }, passage) =>
      qas.map(({ question }) => ({ text: question, passage })),
    ),
  };
}

export const MISSING_QUESTIONS = `no questions: ${FILE} is not there`;
