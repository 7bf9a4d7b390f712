import { expect, it } from 'vitest'
import { KINDS } from '../../api/kinds.gen.ts'
import { groupResource } from '../../api/kind.ts'
import { startTestServer } from '../../apiserver/testing/harness.ts'
import type { Client, RawResponse } from '../../client/client.ts'
import { overrideClient } from '../testing/override-client.ts'
import { discover } from './discovery.ts'

const resource = (name: string, kind: string) => ({ name, kind, namespaced: true, verbs: ['delete', 'list'] })
const resources = (...list: unknown[]) => ({ resources: list })

/** Answers with these documents, and 503 where there is none. */
function serving(client: Client, documents: Record<string, unknown>): Client {
  return overrideClient(client, {
    request: async ({ path }): Promise<RawResponse> => {
      const known = path in documents
      const body = (async function* () {
        yield Buffer.from(JSON.stringify(known ? documents[path] : {}))
      })()
      return { status: known ? 200 : 503, headers: {}, body }
    },
  })
}

it('finds every resource of the server once, with its verbs and scope', async () => {
  await using server = await startTestServer()
  const { kinds, failures } = await discover(server.client)
  const shown = (all: typeof kinds) =>
    all.map((kind) => [groupResource(kind), kind.version, kind.kind, kind.namespaced, ...[...kind.verbs].sort()].join(' ')).sort()
  const preferred = KINDS.filter((kind) => !kind.storedAs || groupResource(kind.storedAs.kind) !== groupResource(kind))
  expect(shown(kinds)).toEqual(shown(preferred))
  expect(failures.size).toBe(0)
})

it('takes each resource in the preferred version, or in the one that has it', async () => {
  await using server = await startTestServer()
  const client = serving(server.client, {
    '/api/v1': resources(resource('pods', 'Pod'), resource('pods/log', 'Pod')),
    '/apis': {
      groups: [{ name: 'example.com', versions: [{ version: 'v1' }, { version: 'v2' }], preferredVersion: { version: 'v2' } }],
    },
    '/apis/example.com/v1': resources(resource('widgets', 'Widget'), resource('gadgets', 'Gadget')),
    '/apis/example.com/v2': resources(resource('widgets', 'Widget')),
  })
  const { kinds } = await discover(client)
  expect(kinds.map((kind) => `${groupResource(kind)} ${kind.version}`)).toEqual([
    'pods v1',
    'widgets.example.com v2',
    'gadgets.example.com v1',
  ])
})

it('says which groups cannot be had and still finds the others', async () => {
  await using server = await startTestServer()
  const client = serving(server.client, {
    '/api/v1': resources(resource('pods', 'Pod')),
    '/apis': { groups: [{ name: 'example.com', versions: [{ version: 'v1' }] }] },
  })
  const { kinds, failures } = await discover(client)
  expect(kinds.map(groupResource)).toEqual(['pods'])
  expect([...failures.keys()]).toEqual(['example.com/v1'])
  await expect(discover(serving(server.client, {}))).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
})
