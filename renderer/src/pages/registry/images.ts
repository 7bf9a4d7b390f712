/** Which images are on which machines, as the nodes tell it, and which pods use them. */
import type { Node, Pod } from '../../../../electron/api/core/v1/types.gen.ts'
import { parseImageName } from '../../../../electron/api/values/image-name.ts'

export interface ImageOnMachine {
  readonly machine: string
  readonly bytes: number
  /** All its names there: with tags and with digests. */
  readonly names: readonly string[]
  /** Pods there that use it, whether they run or have ended. */
  readonly pods: readonly Pod[]
}

export interface ImageRow {
  /** The name that people use: with a tag where it has one. */
  readonly name: string
  readonly machines: readonly ImageOnMachine[]
  /** On the machine where it takes most. */
  readonly bytes: number
  readonly pods: readonly Pod[]
  /** What Flotilla itself needs stays. */
  readonly own: boolean
}

const OWN = 'flotilla.local/'

/** "nginx" is "docker.io/library/nginx:latest", as nodes name it. */
export function fullImage(name: string): string {
  const [first = '', ...rest] = name.split('/')
  const host = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost')
  const full = host ? name : rest.length ? `docker.io/${name}` : `docker.io/library/${name}`
  return /[:@][^/]*$/.test(full) ? full : `${full}:latest`
}

export function imageRows(nodes: readonly Node[], pods: readonly Pod[]): ImageRow[] {
  const users = usersOf(pods)
  const byName = new Map<string, ImageOnMachine[]>()
  for (const { metadata, status } of nodes) {
    for (const { names = [], sizeBytes = 0 } of status?.images ?? []) {
      const name = names.find((each) => !each.includes('@')) ?? names[0]
      if (!name) continue
      const there = users.get(metadata.name)
      const using = new Set(names.flatMap((each) => there?.get(fullImage(each)) ?? []))
      const held = byName.get(name) ?? []
      held.push({ machine: metadata.name, bytes: sizeBytes, names, pods: [...using] })
      byName.set(name, held)
    }
  }
  return [...byName].map(([name, machines]) => ({
    name,
    machines: machines.toSorted((a, b) => a.machine.localeCompare(b.machine)),
    bytes: Math.max(...machines.map(({ bytes }) => bytes)),
    pods: machines.flatMap((each) => each.pods),
    own: name.startsWith(OWN),
  }))
}

/** By machine, then by full name and by digest. */
function usersOf(pods: readonly Pod[]): ReadonlyMap<string, ReadonlyMap<string, readonly Pod[]>> {
  const users = new Map<string, Map<string, Pod[]>>()
  for (const pod of pods) {
    const { nodeName, containers, initContainers = [], ephemeralContainers = [] } = pod.spec
    if (!nodeName) continue
    const there = users.get(nodeName) ?? new Map<string, Pod[]>()
    users.set(nodeName, there)
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
    const names = [
      ...[...containers, ...initContainers, ...ephemeralContainers].map(({ image }) => image ?? ''),
      ...[...containerStatuses, ...initContainerStatuses].flatMap(({ image, imageID }) => [image, imageID]),
    ]
    for (const name of new Set(names.filter(Boolean).map(fullImage))) {
      const using = there.get(name)
      if (using) using.push(pod)
      else there.set(name, [pod])
    }
  }
  return users
}

export interface Unused {
  readonly machine: string
  readonly images: readonly { readonly name: string; readonly names: readonly string[]; readonly bytes: number }[]
  readonly bytes: number
}

/** What could go, by machine; machines where nothing could are left out. */
export function unusedImages(rows: readonly ImageRow[]): Unused[] {
  const found = new Map<string, { name: string; names: readonly string[]; bytes: number }[]>()
  for (const { name, machines, own } of rows) {
    for (const { machine, names, bytes, pods } of own ? [] : machines) {
      if (pods.length) continue
      const held = found.get(machine) ?? []
      held.push({ name, names, bytes })
      found.set(machine, held)
    }
  }
  return [...found]
    .map(([machine, images]) => ({ machine, images, bytes: images.reduce((sum, { bytes }) => sum + bytes, 0) }))
    .toSorted((a, b) => a.machine.localeCompare(b.machine))
}

export const isImage = (name: string): boolean => parseImageName(name) !== null
