// Errors that the SDK throws for wrong values and wrong states, shared by client, worker and workflow code.

/** A value has the wrong shape, or cannot be converted. */
export class ValueError extends Error {
  override readonly name: string = 'ValueError';

  constructor(
    message: string | undefined,
    public override readonly cause?: unknown,
  ) {
    super(message ?? undefined);
  }
}

/** A payload converter is set up wrongly, or met a payload that it cannot convert. */
export class PayloadConverterError extends ValueError {
  override readonly name: string = 'PayloadConverterError';
}

/** Something was called at a time or from a place where it cannot work. */
export class IllegalStateError extends Error {
  override readonly name: string = 'IllegalStateError';
}

/** No workflow with that id (and run id) exists, or it has already closed. */
export class WorkflowNotFoundError extends Error {
  override readonly name: string = 'WorkflowNotFoundError';

  constructor(
    message: string,
    public readonly workflowId: string,
    public readonly runId: string | undefined,
  ) {
    super(message);
  }
}

/** The namespace is not registered on the server. */
export class NamespaceNotFoundError extends Error {
  override readonly name: string = 'NamespaceNotFoundError';

  constructor(public readonly namespace: string) {
    super(`Namespace not found: '${namespace}'`);
  }
}
