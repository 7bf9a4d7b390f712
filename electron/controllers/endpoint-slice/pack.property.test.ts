import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Endpoint, EndpointSlice } from '../../api/discovery/v1/types.gen.ts'
import { semanticEqual } from '../../api/values/equal.ts'
import { portsKey, type EndpointGroup } from './endpoints-of.ts'
import { packSlices, type SliceContent } from './pack.ts'

const LIMIT = 5

/** Which pods stand at which of three ports, and which are ready. */
const state = fc.array(fc.record({ pod: fc.nat(30), port: fc.integer({ min: 1, max: 3 }), ready: fc.boolean() }), { maxLength: 30 })
type State = readonly { pod: number; port: number; ready: boolean }[]

function groupsOf(pods: State): EndpointGroup[] {
  const groups = new Map<number, Endpoint[]>()
  const seen = new Set<number>()
  for (const { pod, port, ready } of pods) {
    if (seen.has(pod)) continue
    seen.add(pod)
    const endpoint: Endpoint = { addresses: [`10.0.0.${pod + 1}`], conditions: { ready }, targetRef: { uid: `uid-${pod}` } }
    groups.set(port, [...(groups.get(port) ?? []), endpoint])
  }
  const found = [...groups].map(([port, endpoints]): EndpointGroup => {
    return { addressType: 'IPv4', ports: [{ name: 'p', port, protocol: 'TCP' }], endpoints }
  })
  return found.length > 0 ? found : [{ addressType: 'IPv4', ports: [], endpoints: [] }]
}

/** What the server has after a packing was written, and how many writes that took. */
function written(groups: readonly EndpointGroup[], before: readonly EndpointSlice[], nextName: () => string) {
  const packing = packSlices(groups, before, LIMIT)
  const changed = packing.kept.filter(({ slice, content }) => !semanticEqual(fields(slice), content))
  const kept = packing.kept.map(({ slice, content }): EndpointSlice => ({ ...slice, ...mutable(content) }))
  const made = packing.create.map((content): EndpointSlice => {
    const metadata = { name: nextName(), uid: '', resourceVersion: '', creationTimestamp: '' }
    return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ...mutable(content) }
  })
  return { slices: [...kept, ...made], writes: changed.length + made.length + packing.delete.length }
}

const fields = ({ addressType, ports, endpoints }: EndpointSlice) => ({ addressType, ports, endpoints })
const mutable = ({ addressType, ports, endpoints }: SliceContent) => ({ addressType, ports: [...ports], endpoints: [...endpoints] })
const at = (slices: readonly EndpointSlice[]) =>
  new Map(
    slices.flatMap(({ metadata, ports, endpoints = [] }) =>
      endpoints.map((e) => [`${e.targetRef?.uid} ${portsKey(ports)}`, metadata.name]),
    ),
  )

function counter(): () => string {
  let count = 0
  return () => `web-${String(count++).padStart(4, '0')}`
}

describe('packing endpoints into slices', () => {
  it('has each endpoint once as it shall be, in slices that are neither empty nor too full', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), (states) => {
        const nextName = counter()
        let slices: readonly EndpointSlice[] = []
        for (const pods of states) {
          const groups = groupsOf(pods)
          slices = written(groups, slices, nextName).slices
          for (const { ports, endpoints } of groups) {
            const mine = slices.filter((slice) => portsKey(slice.ports) === portsKey(ports)).flatMap((slice) => slice.endpoints ?? [])
            const inOrder = (list: readonly Endpoint[]) =>
              [...list].sort((a, b) => ((a.addresses[0] ?? '') < (b.addresses[0] ?? '') ? -1 : 1))
            expect(inOrder(mine)).toEqual(inOrder(endpoints))
          }
          const sizes = slices.map(({ endpoints = [] }) => endpoints.length)
          expect(sizes.every((size) => size <= LIMIT)).toBe(true)
          expect(sizes.length === 1 || sizes.every((size) => size > 0)).toBe(true)
          expect(slices.length).toBeGreaterThan(0)
        }
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  it('moves nothing that stays, and writes nothing when nothing changes', () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        const nextName = counter()
        const first = written(groupsOf(before), [], nextName).slices
        expect(written(groupsOf(before), first, nextName).writes).toBe(0)
        const second = written(groupsOf(after), first, nextName).slices
        const now = at(second)
        for (const [endpoint, slice] of at(first)) expect(now.get(endpoint) ?? slice).toBe(slice)
        expect(written(groupsOf(after), second, nextName).writes).toBe(0)
      }),
      { seed: 5, numRuns: 300 },
    )
  })

  it('needs one write for one pod that comes, goes or changes', () => {
    fc.assert(
      fc.property(state, fc.nat(30), fc.boolean(), (before, pod, goes) => {
        const nextName = counter()
        const pods = groupsOf(before)
          .flatMap(({ ports, endpoints }) =>
            endpoints.map((e) => ({ pod: Number(e.targetRef?.uid?.slice(4)), port: ports[0]?.port ?? 1, ready: true })),
          )
          .map((one) => ({ ...one, port: 1 }))
        const slices = written(groupsOf(pods), [], nextName).slices
        const others = pods.filter((one) => one.pod !== pod)
        const after = goes ? others : [...others, { pod, port: 1, ready: false }]
        expect(written(groupsOf(after), slices, nextName).writes).toBeLessThanOrEqual(1)
      }),
      { seed: 9, numRuns: 300 },
    )
  })

  it('takes out of a slice what someone else put there above the limit or twice', () => {
    const pods = Array.from({ length: LIMIT + 1 }, (_, pod) => ({ pod, port: 1, ready: true }))
    const [group] = groupsOf(pods)
    if (!group) throw new Error('no group')
    const [slice] = written([{ ...group, endpoints: group.endpoints.slice(0, 1) }], [], counter()).slices
    if (!slice) throw new Error('no slice')
    const swollen = { ...slice, endpoints: [...group.endpoints, ...group.endpoints] }
    const { kept, create } = packSlices([group], [swollen], LIMIT)
    expect(kept.map(({ content }) => content.endpoints)).toEqual([group.endpoints.slice(0, LIMIT)])
    expect(create.map(({ endpoints }) => endpoints)).toEqual([group.endpoints.slice(LIMIT)])
  })
})
