/** Notices a vendor that says nothing for too long. */

/** A watch over the waits of one stream. */
export interface SilenceWatch {
  /** A wait for the vendor begins. Time between `heard` and `waiting` is the reader's, not the vendor's. */
  waiting(): void;
  /** The vendor said something. */
  heard(): void;
  /** True once a wait lasted `silenceMs`. */
  expired(): boolean;
  stop(): void;
}

/**
 * Calls `onSilent` once when a wait lasts `silenceMs` milliseconds. One timer serves the whole
 * stream and is set again only when it fires: setting one a read would cost more than the read.
 */
export function watchSilence(silenceMs: number, onSilent: () => void): SilenceWatch {
  let waitingSince: number | undefined;
  let isExpired = false;
  let timer = setTimeout(check, silenceMs);

  function check(): void {
    const leftMs = waitingSince === undefined ? silenceMs : waitingSince + silenceMs - Date.now();
    if (leftMs > 0) {
      timer = setTimeout(check, leftMs);
      return;
    }
    isExpired = true;
    onSilent();
  }

  return {
    waiting: () => {
      waitingSince = Date.now();
    },
    heard: () => {
      waitingSince = undefined;
    },
    expired: () => isExpired,
    stop: () => clearTimeout(timer),
  };
}
