/** Does nothing, in a process of BullMQ's. */
export default async function run(): Promise<undefined> {
  return undefined;
}
