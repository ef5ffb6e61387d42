import { expect, it } from 'vitest';
import { generateContextSchema, generateResponseSchema, interactSchema } from './characters.ts';
import { CHARACTERS_PATHS, CHARACTERS_SCHEMAS } from './openapi-characters.ts';

it('HOST-6: the requests it describes are the requests that are judged', () => {
  const schemas = {
    GenerateContextRequest: [generateContextSchema, ['user_input', 'character_details']],
    GenerateResponseRequest: [generateResponseSchema, ['user_query', 'persona_context']],
    InteractRequest: [interactSchema, undefined],
  } as const;
  for (const [name, [schema, required]] of Object.entries(schemas)) {
    const described = CHARACTERS_SCHEMAS[name] as { properties: object; required?: string[] };
    expect(Object.keys(described.properties), name).toEqual(Object.keys(schema.shape));
    expect(described.required, name).toEqual(required);
  }
});

it('HOST-6: every schema of characters is used, and none is missing', () => {
  const refs = [...JSON.stringify(CHARACTERS_PATHS).matchAll(/schemas\/(\w+)/g)];
  const named = new Set(refs.map(([, name]) => name).filter((name) => name !== 'Error'));
  expect([...named].toSorted()).toEqual(Object.keys(CHARACTERS_SCHEMAS).toSorted());
});
