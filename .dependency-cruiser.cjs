/** The layers of docs/architecture.md. A folder may import itself and what its row names; nothing else. */
const ROWS = {
  base: [],
  api: ['base'],
  contracts: ['base', 'api'],
  machinery: ['base', 'api'],
  store: ['base'],
  client: ['base', 'api', 'machinery'],
  apiserver: ['base', 'api', 'machinery', 'store', 'client'],
  controllers: ['base', 'api', 'machinery', 'client'],
  scheduler: ['base', 'api', 'machinery', 'client'],
  agent: ['base', 'api', 'machinery', 'client'],
  provision: ['base', 'api', 'machinery', 'client'],
  plane: ['base', 'api', 'contracts', 'machinery', 'store', 'client', 'apiserver', 'controllers', 'scheduler', 'provision'],
  main: ['base', 'contracts', 'plane'],
  preload: ['base', 'contracts'],
  headless: ['base', 'api', 'contracts', 'plane'],
}
// A unit test may use the parts below the composition root as its doubles: the real API server on the memory store.
const TESTING = ['base', 'api', 'machinery', 'store', 'client', 'apiserver', 'controllers']

const forbidden = Object.entries(ROWS).flatMap(([layer, allowed]) => [
  {
    name: `layer-${layer}`,
    comment: `electron/${layer} may import only: ${allowed.join(', ') || 'nothing'}`,
    severity: 'error',
    from: { path: `^electron/${layer}/`, pathNot: '(\\.test\\.ts$|/testing/)' },
    to: { path: '^(electron|renderer|tests|bench)/', pathNot: `^electron/(${[layer, ...allowed].join('|')})/` },
  },
  {
    name: `layer-${layer}-tests`,
    severity: 'error',
    from: { path: `^electron/${layer}/.*(\\.test\\.ts$|/testing/)` },
    to: { path: '^(electron|renderer|tests|bench)/', pathNot: `^electron/(${[...new Set([layer, ...allowed, ...TESTING])].join('|')})/` },
  },
])

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'layer-renderer',
      comment: 'the renderer talks through contracts only; of api it takes types and pure values',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: '^(electron|tests|bench)/', pathNot: '^electron/(contracts|api|base)/' },
    },
    {
      name: 'only-the-shell-imports-electron',
      severity: 'error',
      from: { pathNot: '^(electron/(main|preload)/|tests/)' },
      to: { path: '^node_modules/electron/', dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { path: '^(electron|renderer)/', pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { path: '(\\.test\\.ts$|/testing/|fake-clock\\.ts$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^out/|^node_modules/\\.)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.vue', '.json'],
    },
  },
}
