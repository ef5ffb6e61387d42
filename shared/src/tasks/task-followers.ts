/** The followers of a host: one for each task with readers. */

import { createTaskFollower, type TaskFollower, type TaskFollowerPorts } from './task-follower.ts';

/** What the followers are wired to. */
export type TaskFollowersPorts = Omit<TaskFollowerPorts, 'taskId' | 'readers'>;

/** All followers of a host. */
export interface TaskFollowers {
  /**
   * The follower of a task; `undefined` where there is no such task. It is up to date; a reader is
   * to be attached in the same turn.
   */
  open(taskId: string): Promise<TaskFollower | undefined>;
  /** The host goes down: all readers come back to another one. */
  letGo(): void;
}

/** Makes an empty set. */
export function createTaskFollowers(ports: TaskFollowersPorts): TaskFollowers {
  /** Those with readers. Two of one task are possible, where both were made at the same moment. */
  const serving = new Set<TaskFollower>();
  /** The one that the next reader of a task joins. */
  const byTask = new Map<string, TaskFollower>();

  async function make(taskId: string): Promise<TaskFollower | undefined> {
    const follower = await createTaskFollower({
      ...ports,
      taskId,
      readers(count) {
        if (follower === undefined) return;
        if (count > 0) {
          serving.add(follower);
          byTask.set(taskId, follower);
        } else {
          serving.delete(follower);
          if (byTask.get(taskId) === follower) byTask.delete(taskId);
        }
      },
    });
    return follower;
  }

  return {
    async open(taskId) {
      const known = byTask.get(taskId);
      if (known === undefined) return await make(taskId);
      await known.refresh();
      return known;
    },
    letGo() {
      for (const follower of [...serving]) follower.letGo();
    },
  };
}
