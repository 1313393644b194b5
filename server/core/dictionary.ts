/** Records whose keys are ids that users choose: without a prototype, so that `constructor` or `__proto__` are ids like any other. */
export const dictionary = <T>(entries: Readonly<Record<string, T>> = {}): Record<string, T> =>
  Object.assign(Object.create(null) as Record<string, T>, entries);
