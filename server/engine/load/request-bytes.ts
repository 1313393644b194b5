/** How large requests were on the wire. Only large ones are remembered: the rest is a matter of how many there are. */

const REMEMBERED_FROM = 32 * 1024;
const sizes = new WeakMap<object, number>();

/** Called by transport when it has decoded a request. */
export function noteRequestBytes(request: object, bytes: number): void {
  if (bytes >= REMEMBERED_FROM) sizes.set(request, bytes);
}

/** The same for a request that is not decoded yet. */
export const rawRequestBytes = ({ length }: Uint8Array): number => (length >= REMEMBERED_FROM ? length : 0);

/** 0 for a small one. */
export const requestBytes = (request: object): number => sizes.get(request) ?? 0;
