/** What decoding, encoding, patching and ownership of a 4 KB pod cost, beside what the engine needs for its JSON alone. */
import { modelFacts } from '../../electron/api/schema/facts.ts'
import { trackUpdate } from '../../electron/machinery/apply/field-manager.ts'
import { Codecs } from '../../electron/machinery/decode/codec.ts'
import type { JsonObject } from '../../electron/machinery/json-value.ts'
import { applyStrategicPatch } from '../../electron/machinery/patch/strategic-merge.ts'
import { createTypes } from '../../electron/machinery/schema/build.ts'
import { parseLabelSelector } from '../../electron/machinery/selector/label-selector.ts'
import { lessIsBetter, type Measure } from '../measure.ts'
import { benchPod } from './pod.ts'

const WARM_UP = 2000
const ROUNDS = 5
const CALLS = 3000

export async function* run(): AsyncIterable<Measure> {
  const type = createTypes(modelFacts).struct('io.k8s.api.core.v1.Pod')
  const codec = new Codecs().for<JsonObject>(type)
  const body = Buffer.from(JSON.stringify(benchPod()))
  const value: unknown = JSON.parse(body.toString())
  const { object } = codec.parse(body)
  const labelled = { ...object, metadata: { ...(object['metadata'] as JsonObject), labels: { app: 'web', tier: 'front' } } }
  const target = { apiVersion: 'v1', type }
  const requester = { manager: 'bench', now: '2026-11-21T08:00:00Z' }
  const managedFields = trackUpdate(null, object, requester, target)
  const live = { ...object, metadata: { ...(object['metadata'] as JsonObject), managedFields } }
  const patch = { spec: { containers: [{ name: 'web', image: 'registry.example.com/team/web:2.48' }] } }
  const selector = parseLabelSelector('app=web,tier in (front,back),!canary')
  const labels = { app: 'web', tier: 'front' }

  const parse = () => JSON.parse(body.toString()) as unknown
  const stringify = () => JSON.stringify(value)
  const clone = () => structuredClone(value)
  const cases: readonly (readonly [string, () => unknown, string, () => unknown])[] = [
    ['decode a request', () => codec.parse(body), 'JSON.parse', parse],
    ['decode a value', () => codec.decode(value), 'structuredClone', clone],
    ['encode', () => codec.encode(object), 'JSON.stringify', stringify],
    ['strategic patch', () => applyStrategicPatch(object, patch, type), 'structuredClone', clone],
    ['ownership of an update', () => trackUpdate(live, labelled, requester, target), 'structuredClone', clone],
    ['label selector of three terms', () => selector.matches(labels), 'three property reads', () => byHand(labels)],
  ]
  for (const [name, ours, peerName, peer] of cases) {
    yield lessIsBetter(name, 'us', microseconds(ours), microseconds(peer), `4 KB pod; peer: ${peerName}`)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

function byHand({ app, tier, canary }: Record<string, string>): boolean {
  return app === 'web' && (tier === 'front' || tier === 'back') && canary === undefined
}

/** The best of several rounds: what disturbs a run only makes it slower. */
function microseconds(call: () => unknown): number {
  for (let i = 0; i < WARM_UP; i++) call()
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) call()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / CALLS / 1000)
  }
  return best
}
