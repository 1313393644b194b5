/** What the server does for the workers of a namespace. */
import { status } from '@grpc/grpc-js';
import { NamespaceNotFoundError } from '../definitions/errors.js';
import type { Connection } from '../transport/connection.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';

export interface NamespaceFeatures {
  /** It answers the polls of a worker that shuts down. */
  endsPolls: boolean;
  /** It wants to know how workers are. */
  wantsHeartbeats: boolean;
  /** It says with tasks whether to poll more or less. */
  givesHints: boolean;
  /** It takes answers to workflow tasks in pages. */
  takesPages: boolean;
}

/** Checks that the namespace is there, and asks what the server does for it. */
export async function describeNamespace(connection: Connection, namespace: string): Promise<NamespaceFeatures> {
  try {
    const response = await connection.workflowService.describeNamespace({ namespace });
    const capabilities = response.namespaceInfo?.capabilities;
    const { workerPollCompleteOnShutdown, workerHeartbeats, pollerAutoscaling } = capabilities ?? {};
    return {
      endsPolls: Boolean(workerPollCompleteOnShutdown),
      wantsHeartbeats: Boolean(workerHeartbeats),
      givesHints: Boolean(pollerAutoscaling),
      takesPages: Boolean(capabilities?.workflowTaskCompletionPagination),
    };
  } catch (err) {
    if (isGrpcServiceError(err) && err.code === status.NOT_FOUND) throw new NamespaceNotFoundError(namespace);
    throw err;
  }
}
