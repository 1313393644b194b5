/** perdure.v1.ApprovalService for the command line. */
import { fileURLToPath } from 'node:url';
import { dirname } from 'node:path';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { findInPackage } from '../package-files.js';
import type { Send } from './connection.js';

export type ApprovalStateName = `APPROVAL_STATE_${'UNSPECIFIED' | 'OPEN' | 'APPROVED' | 'REJECTED' | 'EXPIRED' | 'WITHDRAWN'}`;

export interface ProtoTime {
  readonly seconds: string;
  readonly nanos: number;
}

/** As proto-loader gives it: enums by name, int64 as text, what is unset as null or empty. */
export interface Approval {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly approvalId: string;
  readonly workflowType: string;
  readonly summary: string;
  readonly requestedFrom: string;
  readonly detailsJson: string;
  readonly requestedAt: ProtoTime | null;
  readonly expiresAt: ProtoTime | null;
  readonly state: ApprovalStateName;
  readonly decidedBy: string;
  readonly reason: string;
  readonly decidedAt: ProtoTime | null;
}

export interface WhichApproval {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly approvalId: string;
}

export interface Decision extends WhichApproval {
  readonly decidedBy: string;
  readonly reason: string;
  readonly requestId: string;
}

export interface Approvals {
  list(request: { namespace: string; states: readonly ApprovalStateName[]; workflowId: string; pageSize: number; nextPageToken: Uint8Array }): Promise<{
    approvals: Approval[];
    nextPageToken: Uint8Array;
  }>;
  get(request: WhichApproval): Promise<Approval>;
  approve(request: Decision): Promise<Approval>;
  reject(request: Decision): Promise<Approval>;
}

const SERVICE = 'perdure.v1.ApprovalService';
const FILE = 'proto/perdure/v1/approvals.proto';

export const approvalService = (send: Send): Approvals => {
  const path = findInPackage(FILE, fileURLToPath(import.meta.url));
  const includeDirs = [path.slice(0, -FILE.length + 'proto'.length), dirname(path)];
  const loaded = loadSync(path, { keepCase: false, enums: String, longs: String, defaults: true, includeDirs });
  const methods = loaded[SERVICE] as unknown as Record<string, MethodDefinition<object, object>>;
  const call = async <T>(name: string, request: object): Promise<T> => {
    const method = methods[name];
    if (method === undefined) throw new Error(`${path} has no method ${name}`);
    return method.responseDeserialize(await send(`/${SERVICE}/${name}`, method.requestSerialize(request))) as T;
  };
  const one = async (name: string, request: object): Promise<Approval> => (await call<{ approval: Approval }>(name, request)).approval;
  return {
    list: (request) => call('ListApprovals', request),
    get: (request) => one('GetApproval', request),
    approve: (request) => one('Approve', request),
    reject: (request) => one('Reject', request),
  };
};
