/** The templates that come with the gateway. */

import type { ScriptTemplate } from './template.ts';
import { advertisement } from './templates/advertisement.ts';
import { comedy } from './templates/comedy.ts';
import { documentary } from './templates/documentary.ts';
import { drama } from './templates/drama.ts';
import { interview } from './templates/interview.ts';
import { news } from './templates/news.ts';
import { podcast } from './templates/podcast.ts';
import { presentation } from './templates/presentation.ts';
import { shortVideo } from './templates/short-video.ts';
import { tutorial } from './templates/tutorial.ts';

/** All of them; their ids are taken for every caller. */
export const BUILT_IN_TEMPLATES: readonly ScriptTemplate[] = [
  drama,
  comedy,
  documentary,
  advertisement,
  tutorial,
  podcast,
  interview,
  news,
  shortVideo,
  presentation,
];

/** The one with this id. */
export function builtInTemplate(id: string): ScriptTemplate | undefined {
  return BUILT_IN_TEMPLATES.find((template) => template.id === id);
}
