/** Images that are on the machines already. */
import type { Node } from '../../../../electron/api/core/v1/types.gen.ts'
import { nameFromImage } from '../../kube/images.ts'

/** An image's name as people write it, on which machines it is. */
export interface KnownImage {
  readonly name: string
  readonly machines: readonly string[]
  readonly bytes: number
}

const tidy = (name: string) => name.replace(/^docker\.io\/library\//, '').replace(/^docker\.io\//, '')

/** What no person deploys: the image that holds a pod's namespaces. */
const isOwn = (name: string) => /(^|\/)pause(:|@|$)/.test(name)

export function knownImages(nodes: readonly Node[]): KnownImage[] {
  const found = new Map<string, { machines: string[]; bytes: number }>()
  for (const node of nodes)
    for (const image of node.status.images ?? [])
      for (const name of image.names ?? []) {
        if (name.includes('@') || isOwn(name)) continue
        const entry = found.get(tidy(name))
        if (entry) entry.machines.push(node.metadata.name)
        else found.set(tidy(name), { machines: [node.metadata.name], bytes: image.sizeBytes ?? 0 })
      }
  return [...found].map(([name, entry]) => ({ name, ...entry })).toSorted((a, b) => a.name.localeCompare(b.name))
}

/** The machines that have this image; a name without a tag is its `latest`. */
export function machinesWith(image: string, known: readonly KnownImage[]): readonly string[] {
  const wanted = tidy(image.trim())
  const tagged = /:[^/]+$|@/.test(wanted) ? wanted : `${wanted}:latest`
  return known.find((each) => each.name === tagged)?.machines ?? []
}

/** Every machine that is set up gets this image: it needs no network. */
const DEMO = { image: 'flotilla.local/demo:1', name: 'demo', port: 8080 }

/** Something to begin with that needs no network: the demo image, or what a machine has. */
export function demoImage(nodes: readonly Node[]): { image: string; name: string; port: number } | null {
  const known = knownImages(nodes)
  if (!nodes.length || known.some((each) => each.name === DEMO.image)) return DEMO
  const [demo] = known
  return demo ? { image: demo.name, name: nameFromImage(demo.name) || 'web', port: 8080 } : null
}
