import { expect, it } from 'vitest';
import { templateBody } from '../text/scripts/template.ts';
import { SCRIPTS_PATHS, SCRIPTS_SCHEMAS } from './openapi-scripts.ts';
import { scriptRequestSchema } from './scripts.ts';

it('HOST-6: the requests for scripts and templates are those that are judged', () => {
  const request = SCRIPTS_SCHEMAS['ScriptRequest'] as { properties: object; required: string[] };
  expect(Object.keys(request.properties)).toEqual(Object.keys(scriptRequestSchema.shape));
  expect(request.required).toEqual(['project_id', 'script_type', 'title', 'description']);
  const template = SCRIPTS_SCHEMAS['ScriptTemplateRequest'] as { properties: object };
  expect(Object.keys(template.properties)).toEqual(['id', ...Object.keys(templateBody.shape)]);
});

it('HOST-6: every schema of scripts is used, and none is missing', () => {
  const used = JSON.stringify([SCRIPTS_PATHS, SCRIPTS_SCHEMAS]).matchAll(/schemas\/(\w+)/g);
  const named = new Set(Array.from(used, ([, name]) => name));
  for (const shared of ['Error', 'WireError']) named.delete(shared);
  expect([...named].toSorted()).toEqual(Object.keys(SCRIPTS_SCHEMAS).toSorted());
});
