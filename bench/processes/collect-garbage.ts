// Lets whoever measures memory ask a Node process to collect its garbage, so that what is held can
// be told from what has not been swept yet.
//
// Usage: node --expose-gc --import <this file> <program>; then send SIGUSR2.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  // Once more: finalisers of the first round let go of more.
  setImmediate(() => globalThis.gc?.());
});
