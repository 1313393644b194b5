// No cycles among what runs: read on the compiled files, where imports of types are gone.
module.exports = {
  forbidden: [{ name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } }],
  options: { doNotFollow: { path: 'node_modules' }, includeOnly: '/dist/', exclude: '/dist/bundle/', enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require'] } },
};
