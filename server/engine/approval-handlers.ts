/** The methods of perdure.v1.ApprovalService, each with its use case. */
import type { Call, Handlers } from './call.js';
import { approve, reject } from './decide-approval.js';
import type { Engine } from './engine.js';
import { getApproval, listApprovals } from './read-approvals.js';

type UseCase<Request> = (engine: Engine, request: Request, call: Call) => Promise<object>;

export function approvalHandlers(engine: Engine): Handlers {
  const bind =
    <Request extends object>(useCase: UseCase<Request>) =>
    (request: Request, call: Call) =>
      engine.load.serve(request, call, (admitted) => useCase(engine, request, admitted));
  return { ListApprovals: bind(listApprovals), GetApproval: bind(getApproval), Approve: bind(approve), Reject: bind(reject) };
}
