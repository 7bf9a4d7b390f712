/** What an API server serves, asked of itself, so that kinds that were defined at run time count as well. */
import { defineKind, type AnyKind, type Verb } from '../../api/kind.ts'
import { readBody } from '../../client/bytes.ts'
import type { Client } from '../../client/client.ts'
import { responseError } from '../../client/errors.ts'

export interface Discovered {
  /** Each resource once, in the version that the server prefers. No subresources. */
  readonly kinds: readonly AnyKind[]
  /** By group and version: why it is not known what is in there. */
  readonly failures: ReadonlyMap<string, unknown>
}

interface Resource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

interface Group {
  readonly name: string
  readonly versions: readonly { readonly version: string }[]
  readonly preferredVersion?: { readonly version: string }
}

/** Throws only if not even the groups can be had. */
export async function discover(client: Client): Promise<Discovered> {
  const { groups } = await document<{ groups: readonly Group[] }>(client, '/apis')
  const core: Group = { name: '', versions: [{ version: 'v1' }] }
  const kinds = new Map<string, AnyKind>()
  const failures = new Map<string, unknown>()
  for (const group of [core, ...groups]) {
    for (const version of preferredFirst(group)) {
      const path = group.name ? `/apis/${group.name}/${version}` : `/api/${version}`
      try {
        const { resources } = await document<{ resources: readonly Resource[] }>(client, path)
        for (const resource of resources) {
          const key = `${group.name}/${resource.name}`
          if (!resource.name.includes('/') && !kinds.has(key)) kinds.set(key, kindOf(group.name, version, resource))
        }
      } catch (error) {
        failures.set(group.name ? `${group.name}/${version}` : version, error)
      }
    }
  }
  return { kinds: [...kinds.values()], failures }
}

function preferredFirst({ versions, preferredVersion }: Group): string[] {
  const all = versions.map(({ version }) => version)
  return preferredVersion ? [...new Set([preferredVersion.version, ...all])] : all
}

/** Without a model: its objects are handed out as the server sends them. */
function kindOf(group: string, version: string, { name, kind, namespaced, verbs }: Resource): AnyKind {
  return defineKind({ group, version, kind, resource: name, namespaced, model: '', verbs: verbs as readonly Verb[] })
}

async function document<T>(client: Client, path: string): Promise<T> {
  const response = await client.request({ method: 'GET', path, headers: { accept: 'application/json' } })
  const body = await readBody(response)
  if (response.status >= 400) throw responseError(response.status, body, `discovery of ${path}`)
  return JSON.parse(body.toString('utf8')) as T
}
