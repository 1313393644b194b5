/** The services of the open API as objects with one method per RPC: `service.startWorkflowExecution(request)`. */
import proto from '@temporalio/proto';
import type { Root } from 'protobufjs';
import type { CallContext, CallContexts } from './call-context.js';
import { quickenOneOfs } from './oneof-setters.js';
import type { GrpcRetryOptions } from './retry.js';
import type { RpcEnvironment, RpcMethod } from './rpc.js';
import { callRpc, rpcMethod } from './rpc.js';

/** The package's root is a protobufjs Root, which its types do not say. */
const root = proto as unknown as Root;
quickenOneOfs(root);

/** Typed calls of WorkflowService. */
export type WorkflowService = proto.temporal.api.workflowservice.v1.WorkflowService;
/** Typed calls of OperatorService. */
export type OperatorService = proto.temporal.api.operatorservice.v1.OperatorService;
/** Typed calls of TestService, of servers whose clock can be moved. */
export type TestService = proto.temporal.api.testservice.v1.TestService;
/** Typed calls of the gRPC health service. */
export type HealthService = proto.grpc.health.v1.Health;

/**
 * A service over a connection. Every RPC becomes a method in camelCase that takes the request message and resolves to
 * the response message.
 */
export function makeService<Service>(fullName: string, env: RpcEnvironment, contexts: CallContexts): Service {
  const service: Record<string, (request: object) => Promise<object>> = {};
  for (const method of root.lookupService(fullName).methodsArray) {
    let resolved: RpcMethod | undefined;
    service[lowerFirst(method.name)] = (request) => {
      resolved ??= rpcMethod(fullName, method);
      return callRpc(env, resolved, request, contexts.current());
    };
  }
  return service as Service;
}

/** One RPC with retry rules of its own, for the worker's loops. A request that is frozen, as that of a poll is, is encoded once. */
export function makeCall<Request extends object, Response>(
  fullName: string,
  methodName: string,
  env: RpcEnvironment,
  retry: GrpcRetryOptions,
): (request: Request, context?: CallContext) => Promise<Response> {
  const method = root.lookupService(fullName).methods[methodName];
  if (!method) throw new TypeError(`${fullName} has no method ${methodName}`);
  const resolved = rpcMethod(fullName, method);
  const encoded = new WeakMap<Request, Uint8Array>();
  const encodeOnce = (request: Request) => {
    let bytes = encoded.get(request);
    if (!bytes) {
      bytes = resolved.request.encode(request).finish();
      encoded.set(request, bytes);
    }
    return bytes;
  };
  return (request, context) =>
    callRpc(env, resolved, request, context, retry, Object.isFrozen(request) ? encodeOnce(request) : undefined) as Promise<Response>;
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
