/** Runs `step` for each number below `count`, so many at a time. */
export async function inLanes(
  count: number,
  lanes: number,
  step: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function lane(): Promise<void> {
    while (next < count) {
      next += 1;
      await step(next - 1);
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, lanes) }, lane));
}
