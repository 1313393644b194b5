/**
 * Node 21 and newer say who they are. Where nobody does, the driver of PostgreSQL makes a Response to find out whether it runs in somebody's cloud,
 * and for that Node 20 loads all of fetch: 18 ms of every start. To be imported before the driver.
 */
if (!('navigator' in globalThis)) {
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: `Node.js/${process.versions.node.split('.')[0]}` }, configurable: true, writable: true });
}
