import { expect, test } from 'vitest';
import { SYSTEM_CAPABILITIES } from '../../server/engine/capabilities.js';
import { clusterHandlers, systemHandlers } from '../../server/engine/system-info.js';
import { createGrpcServer } from '../../server/transport/grpc/grpc-server.js';
import { OPERATOR_SERVICE, WORKFLOW_SERVICE } from '../../server/transport/grpc/open-api.js';
import { RawClient } from './raw-client.js';

const facts = { clusterId: '29bb0654-ec34-4054-ae67-5fd2a6cb1673', address: () => ({ grpc: '127.0.0.1:7233', http: '127.0.0.1:8233' }) };

test('the server says what it is and what it can do', async () => {
  const services = { workflow: systemHandlers(facts), operator: clusterHandlers(facts) };
  const server = createGrpcServer({ host: '127.0.0.1', port: 0, services, log: console });
  const client = new RawClient((await server.start()).address);
  try {
    const { response: info } = await client.call(WORKFLOW_SERVICE, 'GetSystemInfo', {});
    const on = Object.fromEntries(Object.entries(SYSTEM_CAPABILITIES).filter(([, works]) => works));
    expect(info).toMatchObject({ serverVersion: expect.stringMatching(/^1\.\d+\.\d+$/), capabilities: on });
    const { response: cluster } = await client.call(WORKFLOW_SERVICE, 'GetClusterInfo', {});
    expect(cluster).toMatchObject({
      clusterId: facts.clusterId,
      clusterName: 'active',
      historyShardCount: 1,
      persistenceStore: 'postgresql',
    });
    const { response: clusters } = await client.call(OPERATOR_SERVICE, 'ListClusters', {});
    expect(clusters).toMatchObject({
      clusters: [{ clusterName: 'active', address: '127.0.0.1:7233', httpAddress: '127.0.0.1:8233', isConnectionEnabled: true }],
    });
    const { response: attributes } = await client.call(WORKFLOW_SERVICE, 'GetSearchAttributes', {});
    expect(attributes).toMatchObject({
      keys: {
        WorkflowId: 'INDEXED_VALUE_TYPE_KEYWORD',
        CloseTime: 'INDEXED_VALUE_TYPE_DATETIME',
        BuildIds: 'INDEXED_VALUE_TYPE_KEYWORD_LIST',
      },
    });
  } finally {
    client.close();
    await server.stop(100);
  }
});
