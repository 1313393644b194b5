/** Page sizes: left out or too large means the largest. */
/** Batches of events. */
export const HISTORY_PAGE_MAX = 256;
export const LIST_PAGE_MAX = 1000;

export const pageSize = (asked: number | null | undefined, max: number): number => (asked && asked > 0 ? Math.min(asked, max) : max);
