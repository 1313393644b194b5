/** What the server is told of a workflow task whose code could not go on. */
import proto from '@temporalio/proto';
import type { ProtoFailure } from '../definitions/api.js';
import { defaultFailureConverter } from '../payload/failure-converter.js';
import { defaultPayloadConverter } from '../payload/payload-converter.js';
import type { SandboxRun } from '../sandbox/sandbox.js';
import { CommandType } from './kinds/command.js';
import type { WorkflowTaskOutcome } from './workflow-host.js';

const { WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR, WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE } =
  proto.temporal.api.enums.v1.WorkflowTaskFailedCause;

/** Error types by which a mismatch fails the run. */
const MISMATCH_TYPES: ReadonlySet<string> = new Set(['NondeterminismError', 'DeterminismViolationError', 'Error']);

/** Whether a run with such failure types fails, rather than its task, when its code does not match its history any more. */
export const isFailedByMismatch = (failureTypes: readonly string[]): boolean => failureTypes.some((name) => MISMATCH_TYPES.has(name));

/** An error of the run's own realm is converted there, as long as its code is there. */
export function failureOf(error: unknown, code: Pick<SandboxRun, 'errorToFailure'> | undefined): ProtoFailure {
  const isOurs = error instanceof Error;
  if (!isOurs && code) {
    try {
      return code.errorToFailure(error);
    } catch {
      // The user's converter fails: say what there is to say without it.
    }
  }
  return defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
}

export function taskFailed(failure: ProtoFailure, isMismatch: boolean): WorkflowTaskOutcome {
  const cause = isMismatch
    ? WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    : WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE;
  return { kind: 'failed', failure: { cause, failure } };
}

/** The worker was asked to fail runs whose code does not match their history any more. */
export function runFailed(failure: ProtoFailure): WorkflowTaskOutcome {
  const failed = { ...failure, applicationFailureInfo: { type: 'NondeterminismError' } };
  return {
    kind: 'completed',
    completion: {
      commands: [
        { commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, failWorkflowExecutionCommandAttributes: { failure: failed } },
      ],
    },
  };
}
