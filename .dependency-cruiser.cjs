// Which room may import which (docs/architecture.md draws it). Read by `npm run check`.
// swc parses the sources: dependency-cruiser cannot use TypeScript 7, and what tsc emits has no type imports left to check.

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    rule('core-is-pure', 'core imports API types only: no node, no npm, no other room', { path: '^server/core/' }, { pathNot: ['^server/core/', '^node_modules/(@temporalio/proto|long)/', '^(@temporalio/proto|long)$'] }),
    rule('storage-knows-core-only', 'storage holds SQL and knows nothing of who calls it', { path: '^server/storage/' }, { path: '^server/(engine|loops|transport|postgres|server|compose-[a-z]+|main|config|settings)[/.]' }),
    rule('engine-is-below-transport', 'the engine does not know how it is called', { path: '^server/engine/' }, { path: '^server/(transport|loops|postgres|server|compose-[a-z]+|main|config|settings)[/.]' }),
    rule('transport-calls-the-engine', 'transport never reaches past the engine', { path: '^server/transport/' }, { path: '^server/(storage|loops|postgres|server|compose-[a-z]+|main|config|settings)[/.]' }),
    rule('loops-are-not-called-from-outside', 'loops know the engine and storage', { path: '^server/loops/' }, { path: '^server/(transport|postgres|server|compose-[a-z]+|main|config|settings)[/.]' }),
    rule('one-composition-root', 'only the process imports the files that see every room', { path: '^server/', pathNot: '^server/(main|group-member|server|compose-[a-z]+)[.]ts$' }, { path: '^server/(server|compose-[a-z]+)[.]ts$' }),
    rule('postgres-client-in-storage', 'SQL lives in storage; the listener names the type of the connection that it is given', { path: '^server/', pathNot: ['^server/storage/', '^server/loops/listener[.]ts$'] }, { path: '(^|/)node_modules/pg/' }),
    rule('server-and-sdk-are-strangers', 'they meet on the wire', { path: '^server/' }, { path: '^(worker-sdk|cli|web|examples)/|node_modules/@perdure/sdk/' }),
    rule('sdk-and-server-are-strangers', 'they meet on the wire', { path: '^worker-sdk/' }, { path: '^(server|cli|web|examples)/|(^|/)node_modules/(@perdure/server|pg|fastify)/' }),
    rule('cli-speaks-rpc', 'only the verbs that run a server load one', { path: '^cli/', pathNot: '^cli/actions/start-server[.]ts$' }, { path: '^server/|node_modules/@perdure/server/|(^|/)node_modules/(pg|fastify)/' }),
    rule('cli-borrows-the-sdk', 'the CLI knows the SDK by its shape and loads the one of the project it is called in', { path: '^cli/' }, { path: '^worker-sdk/|node_modules/@perdure/sdk/' }),
    rule('eslint-plugin-stands-alone', 'it reads code and knows no room', { path: '^eslint-plugin/' }, { path: '^(server|worker-sdk|cli|web|examples)/|node_modules/(@perdure|perdure)/' }),
    rule('web-speaks-http', 'the page knows no room of the server', { path: '^web/' }, { path: '^(server|worker-sdk|cli)/' }),
    rule('replay-is-pure', 'a machine from history to commands; what hosts it looks at the heap, what reads histories finds a codec', { path: '^worker-sdk/replay/', pathNot: '/(run-cache|create-workflow-host|history-json)[.]ts$' }, { dependencyTypes: ['core'] }),
    rule('workflow-code-is-deterministic', 'what workflow code imports has no node in it, but for the context that follows promises', { path: '^worker-sdk/workflow/', pathNot: '/async-local-storage[.]ts$' }, { dependencyTypes: ['core'] }),
    rule('vm-in-the-sandbox', 'one room touches vm', { path: '^worker-sdk/', pathNot: '^worker-sdk/sandbox/' }, { path: '^(node:)?vm$' }),
    rule('product-without-tests', 'tests import the product, not the other way', { path: '^(server|worker-sdk|cli|eslint-plugin|web|examples)/' }, { path: '^(test|bench|scripts)/' }),
    rule('declared-dependencies', 'a package that is imported is declared where it is imported, if only as a peer', { path: '^(server|worker-sdk|cli|web)/' }, { pathNot: '/dist/', dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev', 'unknown', 'undetermined'], dependencyTypesNot: ['npm-peer'] }),
    rule('resolvable', 'every import leads somewhere', {}, { couldNotResolve: true, pathNot: '^estree$' }),
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules|(^|/)dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'require'], extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
