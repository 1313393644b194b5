/** A failure that the text explains in full: printed as one line, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    message: string,
    /** 1: it did not work; 2: what was asked for makes no sense. */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
