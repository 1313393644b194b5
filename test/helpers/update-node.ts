/** One node on a database of its own, for a file of tests about updates; in the end every history must fold to its live state. */
import { afterAll, beforeAll } from 'vitest';
import { EngineNode } from './engine-node.js';
import { useDatabase } from './postgres.js';
import { UpdateStories } from './updates.js';

/** `ready` is told of the node, its stories and the database before the first test. */
export function useUpdateNode(ready: (node: EngineNode, story: UpdateStories, databaseUrl: string) => void): void {
  const database = useDatabase();
  let node: EngineNode;
  beforeAll(async () => {
    node = new EngineNode(database.url);
    ready(node, new UpdateStories(node), database.url);
    await node.addNamespace('default');
  });
  afterAll(async () => {
    await node.expectFoldsToLive();
    await node.close();
  });
}
