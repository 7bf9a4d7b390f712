import { describe, expect, it } from 'vitest'
import { requestsIn, routeOf } from './deep-link.ts'

describe('a link', () => {
  it.each([
    ['flotilla://overview', '/'],
    ['flotilla://pods', '/pods'],
    ['flotilla://pods/', '/pods'],
    ['flotilla://pods/default/web-0', '/pods/default/web-0'],
    ['flotilla://machines/node-1', '/machines/node-1'],
    ['flotilla://list/deployments.apps', '/list/deployments.apps'],
    ['flotilla://object/apps/v1/deployments/default/web', '/object/apps/v1/deployments/default/web'],
    ['flotilla://object/-/v1/nodes/-/node-1', '/object/-/v1/nodes/-/node-1'],
  ])('%s shows %s', (link, route) => {
    expect(routeOf(link)).toBe(route)
  })

  it.each([
    'http://pods',
    'flotilla:pods',
    'flotilla://',
    'flotilla://unknown',
    'flotilla://constructor',
    'flotilla://pods/default',
    'flotilla://pods/default/web/more',
    'flotilla://pods/../settings',
    'flotilla://pods/default/%2e%2e',
    'flotilla://pods/default/web?x=1',
    'flotilla://pods/default/web#x',
    'flotilla://user@pods',
    'flotilla://pods/-/-',
    'flotilla://pods/default/Web',
    'flotilla://pods/default/web\n',
    `flotilla://machines/${'a'.repeat(300)}`,
  ])('%j shows nothing', (link) => {
    expect(routeOf(link)).toBeNull()
  })
})

it('takes links and manifests from a command line, and no switches', () => {
  const argv = ['/opt/flotilla', '--state=/srv/x.yaml', 'flotilla://pods', '/home/ada/app.YAML', 'https://example.org/x.yaml', 'notes.txt']
  expect(requestsIn(argv)).toEqual({ routes: ['/pods'], files: ['/home/ada/app.YAML'] })
})
