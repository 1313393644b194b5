/** Changes of one namespace at the same time: none gets lost. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operatorHandlers } from '../../server/engine/handlers.js';
import { EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

const database = useDatabase();
const nodes: EngineNode[] = [];

beforeAll(async () => {
  nodes.push(new EngineNode(database.url, { others: true }), new EngineNode(database.url, { others: true }));
  await nodes[0]!.addNamespace('default');
});
afterAll(() => Promise.all(nodes.map((node) => node.close())));

const operator = (node: EngineNode, method: string, request: object): Promise<object> =>
  operatorHandlers(node.engine)[method]!({ namespace: 'default', ...request }, { method, deadline: Number.POSITIVE_INFINITY } as never);
const NAMES = Array.from({ length: 12 }, (_, i) => `Attribute${i}`);
const attributes = async () =>
  Object.keys(((await operator(nodes[0]!, 'ListSearchAttributes', {})) as { customAttributes: object }).customAttributes).sort();

it('search attributes that are added at the same time are all there, and removing some takes only those', async () => {
  await Promise.all(NAMES.map((name, i) => operator(nodes[i % 2]!, 'AddSearchAttributes', { searchAttributes: { [name]: 2 } })));
  nodes[0]!.engine.registry.forgetAll(); // as a notification would make it
  expect(await attributes()).toEqual([...NAMES].sort());
  await Promise.all([
    ...NAMES.slice(0, 6).map((name, i) => operator(nodes[i % 2]!, 'RemoveSearchAttributes', { searchAttributes: [name] })),
    operator(nodes[1]!, 'AddSearchAttributes', { searchAttributes: { Another: 3 } }),
  ]);
  nodes[0]!.engine.registry.forgetAll();
  expect(await attributes()).toEqual(['Another', ...NAMES.slice(6)].sort());
});

it('of two types for one name, one is refused', async () => {
  const asked = [2, 3].map((type, i) => operator(nodes[i]!, 'AddSearchAttributes', { searchAttributes: { Disputed: type } }));
  const refused = (await Promise.allSettled(asked)).filter((r) => r.status === 'rejected');
  expect(refused.map((r) => (r.reason as Error).message)).toEqual(['Search attribute Disputed already exists with another type.']);
});

it('labels that are set at the same time are all there', async () => {
  const labels = NAMES.map((name) => ({ [name]: 'x' }));
  await Promise.all(labels.map((data, i) => nodes[i % 2]!.rpc('UpdateNamespace', { updateInfo: { data } })));
  nodes[0]!.engine.registry.forgetAll();
  const { namespaceInfo } = await nodes[0]!.rpc('DescribeNamespace', {});
  expect(Object.keys(namespaceInfo.data).sort()).toEqual([...NAMES].sort());
});
