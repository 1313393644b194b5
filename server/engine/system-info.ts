/** Answers about the server itself: its version, what it can do, the cluster that it is, the search attributes that every namespace has. */
import { int64, type temporal } from '../core/api.js';
import { PREDEFINED_ATTRIBUTES, SYSTEM_ATTRIBUTES } from '../core/search-attribute-names.js';
import { SUPPORTED_CLIENTS } from '../core/validate/client-version.js';
import { CLUSTER_NAME } from '../core/validate/namespace.js';
import type { Handlers } from './call.js';
import { API_SERVER_VERSION, SYSTEM_CAPABILITIES } from './capabilities.js';

/** What is known of the server once it runs. */
export interface SystemFacts {
  /** A UUID that is the database's for as long as it lives. */
  readonly clusterId: string;
  /** `host:port` of gRPC and of HTTP, as clients reach them. */
  address(): { grpc: string; http: string };
}

const getSystemInfo = async (): Promise<temporal.api.workflowservice.v1.IGetSystemInfoResponse> => ({
  serverVersion: API_SERVER_VERSION,
  capabilities: SYSTEM_CAPABILITIES,
});

/** One database is one cluster of one shard: there is nothing to distribute over. */
const THE_ONE_SHARD = { historyShardCount: 1, initialFailoverVersion: int64(1) };

const getClusterInfo = ({ clusterId }: SystemFacts): temporal.api.workflowservice.v1.IGetClusterInfoResponse => ({
  supportedClients: { ...SUPPORTED_CLIENTS },
  serverVersion: API_SERVER_VERSION,
  clusterId,
  clusterName: CLUSTER_NAME,
  ...THE_ONE_SHARD,
  failoverVersionIncrement: int64(10),
  persistenceStore: 'postgresql',
  visibilityStore: 'postgresql',
});

const getSearchAttributes = (): temporal.api.workflowservice.v1.IGetSearchAttributesResponse => ({
  keys: Object.fromEntries([...SYSTEM_ATTRIBUTES, ...PREDEFINED_ATTRIBUTES]),
});

/** GetSystemInfo, GetClusterInfo and GetSearchAttributes of WorkflowService. */
export const systemHandlers = (facts: SystemFacts): Handlers => ({
  GetSystemInfo: getSystemInfo,
  GetClusterInfo: async () => getClusterInfo(facts),
  GetSearchAttributes: async () => getSearchAttributes(),
});

/** ListClusters of OperatorService: this one. */
export const clusterHandlers = (facts: SystemFacts): Handlers => ({
  ListClusters: async (): Promise<temporal.api.operatorservice.v1.IListClustersResponse> => ({
    clusters: [
      {
        clusterName: CLUSTER_NAME,
        clusterId: facts.clusterId,
        address: facts.address().grpc,
        httpAddress: facts.address().http,
        ...THE_ONE_SHARD,
        isConnectionEnabled: true,
      },
    ],
  }),
});
