/**
 * The open workflow API as a gRPC server needs it: each service's methods with the codecs that protobufjs generated for them.
 * grpc-js gets those codecs directly, so a request is decoded once and a response encoded once.
 */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import type { Message, Method, Namespace, Service, Type } from 'protobufjs';
import { passingBytesOf } from '../../core/encode.js';
import { EncodedResponse } from '../../engine/call.js';
import { noteRequestBytes } from '../../engine/load/request-bytes.js';
import { messagesOf } from './file-descriptors.js';

export const WORKFLOW_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
export const OPERATOR_SERVICE = 'temporal.api.operatorservice.v1.OperatorService';
/** Served in test mode only. */
export const TEST_SERVICE = 'temporal.api.testservice.v1.TestService';

/** The package types its reflection root as if it were generated classes; at run time it is a protobufjs Root. */
const root = proto as unknown as { lookup(name: string): unknown; lookupService(name: string): Service; lookupType(name: string): Type };

const types = new Map<string, Type>();

/** What SDKs and proxies know and the API's package does not bring. */
function addRetryInfo(): void {
  const rpc = root.lookup('google.rpc') as Namespace;
  if (!rpc.get('RetryInfo')) rpc.addJSON({ RetryInfo: { fields: { retryDelay: { id: 1, type: 'google.protobuf.Duration' } } } });
}

/** The message type of that full name, for example `temporal.api.errordetails.v1.NotFoundFailure`. Throws when there is none. */
export function messageType(fullName: string): Type {
  let type = types.get(fullName);
  if (!type) {
    if (fullName === 'google.rpc.RetryInfo') addRetryInfo();
    type = root.lookupType(fullName);
    types.set(fullName, type);
  }
  return type;
}

/** A serialized response, to be copied at once, as grpc-js does. */
function encodeResponse(type: Type, response: object): Buffer {
  return response instanceof EncodedResponse ? response.bytes : passingBytesOf(type, response as Message);
}

function methodDefinition(service: string, method: Method): MethodDefinition<object, object> {
  method.resolve();
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (!request || !response) throw new Error(`${service}/${method.name}: its message types are not in @temporalio/proto`);
  return {
    path: `/${service}/${method.name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => encodeResponse(request, message),
    requestDeserialize(bytes) {
      const decoded = request.decode(bytes);
      noteRequestBytes(decoded, bytes.length);
      return decoded;
    },
    responseSerialize: (message) => encodeResponse(response, message),
    responseDeserialize: (bytes) => response.decode(bytes),
    originalName: method.name,
  };
}

/** The service as protobufjs reflects it. */
export const openApiReflection = (fullName: string): Service => root.lookupService(fullName);

/** The messages that travel as typed details of errors, and the one that carries them. */
export function errorDetailTypes(): Type[] {
  const details = root.lookup('temporal.api.errordetails.v1') as Namespace;
  return [messageType('google.rpc.Status'), messageType('google.rpc.RetryInfo'), ...messagesOf(details)];
}

/** Every method of a service of the open API by its name. */
export function openApiService(fullName: string): ServiceDefinition {
  const service = root.lookupService(fullName);
  return Object.fromEntries(service.methodsArray.map((method) => [method.name, methodDefinition(fullName, method)]));
}
