/** What the head of an image tells, and the limits it is held to. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { InputLimits } from '@headwater/shared/protocol/task-settings';
import { damaged } from './byte-cursor.ts';

/** Facts of an image: what it says of itself, never what decoding it would show. */
export interface ImageFacts {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

/** Gathers the facts while a file is walked through, and stops at the first one that is too much. */
export interface ImageTally {
  /** One more picture of this size; of several the largest counts. */
  picture(width: number, height: number): void;
  /** So many frames more. */
  frames(count?: number): void;
  /** Errors: `validation_failed` where no picture was seen. */
  facts(): ImageFacts;
}

/** Makes a tally. Errors of its calls: `payload_too_large`; `validation_failed` for an empty picture. */
export function createImageTally(limits: Pick<InputLimits, 'maxPixels' | 'maxFrames'>): ImageTally {
  let width = 0;
  let height = 0;
  let frames = 0;
  return {
    picture(nextWidth, nextHeight) {
      if (nextWidth < 1 || nextHeight < 1) throw damaged();
      const pixels = nextWidth * nextHeight;
      if (pixels > limits.maxPixels) {
        throw new GatewayError(
          'payload_too_large',
          `has ${nextWidth} × ${nextHeight} pixels; at most ${limits.maxPixels.toLocaleString('en-US')} are taken.`,
        );
      }
      if (pixels <= width * height) return;
      width = nextWidth;
      height = nextHeight;
    },
    frames(count = 1) {
      frames += count;
      if (frames <= limits.maxFrames) return;
      throw new GatewayError(
        'payload_too_large',
        `has more than ${limits.maxFrames.toLocaleString('en-US')} frames.`,
      );
    },
    facts() {
      if (width === 0) throw damaged();
      return { width, height, frames: Math.max(1, frames) };
    },
  };
}
