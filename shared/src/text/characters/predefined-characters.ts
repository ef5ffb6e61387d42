/** The characters that every gateway has, by their ids. */

import { ALLOTMENT_NEIGHBOUR } from './predefined/allotment-neighbour.ts';
import { HEDGEROW_FOX } from './predefined/hedgerow-fox.ts';
import { LIGHTHOUSE_KEEPER } from './predefined/lighthouse-keeper.ts';
import { MARKET_COOK } from './predefined/market-cook.ts';
import { ORBITAL_GARDENER } from './predefined/orbital-gardener.ts';
import { PATIENT_TUTOR } from './predefined/patient-tutor.ts';
import { RIVER_SMUGGLER } from './predefined/river-smuggler.ts';
import { TRAM_DETECTIVE } from './predefined/tram-detective.ts';
import type { PredefinedCharacter } from './predefined-character.ts';

/** By id, in the order of a list. */
export const PREDEFINED_CHARACTERS: ReadonlyMap<string, PredefinedCharacter> = new Map(
  [
    ALLOTMENT_NEIGHBOUR,
    HEDGEROW_FOX,
    LIGHTHOUSE_KEEPER,
    MARKET_COOK,
    ORBITAL_GARDENER,
    PATIENT_TUTOR,
    RIVER_SMUGGLER,
    TRAM_DETECTIVE,
  ].map((character) => [character.id, character]),
);
