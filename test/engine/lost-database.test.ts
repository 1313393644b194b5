/** The database was lost with a statement that it carried out all the same: nothing waits for seconds until a claim ends that nobody knows of. */
import { describe, expect, it } from 'vitest';
import { DatabaseLost } from '../../server/storage/database.js';
import { deliverOutboxOnce } from '../../server/loops/outbox-deliverer.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { until } from '../helpers/until.js';
import { useNode } from '../helpers/use-node.js';

let node: EngineNode;
const database = useNode((made) => {
  node = made;
});

/** The answer to the next call of a method is lost. */
function loseAnswer<K extends string>(of: Record<K, (...args: never[]) => Promise<unknown>>, method: K): void {
  const own = of[method];
  of[method] = (async (...args: never[]) => {
    of[method] = own;
    await own.apply(of, args);
    throw new DatabaseLost(new Error('Connection terminated unexpectedly'));
  }) as never;
}

describe('a database that is lost', () => {
  it('with a commit that sends messages: they are delivered when it answers', async () => {
    await node.start('parent');
    const task = await node.poll('parent');
    loseAnswer(node.engine.committer as never, 'commit');
    await expect(node.complete(task, [command.child('child')])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until('the child to begin', async () => (await node.story('parent')).includes('CHILD_WORKFLOW_EXECUTION_STARTED'));
    expect(await node.messagesLeft()).toBe(0);
  });

  it('with a commit that it did not carry out: nothing is delivered', async () => {
    await node.start('undone');
    const task = await node.poll('undone');
    const { committer } = node.engine;
    const { commit } = committer;
    committer.commit = async () => {
      committer.commit = commit;
      throw new DatabaseLost(new Error('Connection terminated unexpectedly'));
    };
    await expect(node.complete(task, [command.child('undone-child')])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await node.complete(task, [command.complete()]); // its parent ends first
    await expect(node.describe('undone-child')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('with a fetch of tasks: they are handed out when it answers', async () => {
    await node.start('fetched');
    loseAnswer(node.engine.tasks as never, 'claim');
    const task = await node.poll('fetched');
    await node.complete(task, [command.complete()]);
  });

  it('with a look into the outbox: what was found there is found again', async () => {
    const holding = new EngineNode(database.url, { clock: node.clock, holdMessages: true });
    await holding.start('sender');
    await holding.step('sender', [command.child('sent')]);
    node.clock.forward(3_000);
    loseAnswer(node.engine.outbox as never, 'claim');
    await expect(deliverOutboxOnce(node.engine)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until('the child to begin', async () => {
      await deliverOutboxOnce(node.engine);
      return (await node.story('sender')).includes('CHILD_WORKFLOW_EXECUTION_STARTED');
    });
    await holding.close();
  });
});
