import { describe, expect, it } from 'vitest'
import { requestInfo } from './request-info.ts'

const info = (method: string, target: string) => {
  const url = new URL(target, 'http://x')
  const { isResource, verb, group, version, namespace, resource, subresource, name, tail } = requestInfo(
    method,
    url.pathname,
    url.searchParams,
  )
  return isResource ? [verb, group, version, namespace, resource, name, subresource + tail].join(' | ') : `- ${verb}`
}

describe('requestInfo', () => {
  it.each([
    ['GET', '/api/v1/pods', 'list |  | v1 |  | pods |  | '],
    ['GET', '/api/v1/pods?watch=true', 'watch |  | v1 |  | pods |  | '],
    ['GET', '/api/v1/pods?watch=0', 'list |  | v1 |  | pods |  | '],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx', 'list |  | v1 |  | pods | x | '],
    ['GET', '/api/v1/namespaces/a/pods/b', 'get |  | v1 | a | pods | b | '],
    ['HEAD', '/api/v1/namespaces/a/pods/b/', 'get |  | v1 | a | pods | b | '],
    ['GET', '/api/v1/namespaces/a/pods/b/log', 'get |  | v1 | a | pods | b | log'],
    ['GET', '/api/v1/namespaces/a/pods/b/proxy/x/y', 'get |  | v1 | a | pods | b | proxy/x/y'],
    ['POST', '/api/v1/namespaces/a/pods', 'create |  | v1 | a | pods |  | '],
    ['PUT', '/apis/apps/v1/namespaces/a/deployments/b/scale', 'update | apps | v1 | a | deployments | b | scale'],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/b', 'patch | apps | v1 | a | deployments | b | '],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments/b', 'delete | apps | v1 | a | deployments | b | '],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection | apps | v1 | a | deployments |  | '],
    ['GET', '/api/v1/namespaces', 'list |  | v1 |  | namespaces |  | '],
    ['GET', '/api/v1/namespaces/a', 'get |  | v1 | a | namespaces | a | '],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update |  | v1 | a | namespaces | a | finalize'],
    ['GET', '/api/v1/namespaces/a/status', 'get |  | v1 | a | namespaces | a | status'],
    ['GET', '/api/v1/watch/namespaces/a/pods', 'watch |  | v1 | a | pods |  | '],
    ['GET', '/api/v1/watch/namespaces/a/pods/b', 'watch |  | v1 | a | pods | b | '],
    ['GET', '/api/v1', '- get'],
    ['GET', '/apis/apps/v1', '- get'],
    ['POST', '/healthz', '- post'],
    ['GET', '/', '- get'],
  ])('%s %s is %s', (method, target, expected) => {
    expect(info(method, target)).toBe(expected)
  })
})
