import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { HorizontalPodAutoscalerSpec } from '../../api/autoscaling/v2/types.gen.ts'
import { limit, remember, stabilize, type Memory } from './behavior.ts'

const PERIOD = 15
const rules = fc.record({
  stabilizationWindowSeconds: fc.constantFrom(0, 60, 300),
  selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled'),
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('Pods', 'Percent'),
      value: fc.integer({ min: 1, max: 150 }),
      periodSeconds: fc.constantFrom(15, 30, 60, 120),
    }),
    { minLength: 1, maxLength: 2 },
  ),
})
const scenario = fc.record({
  up: rules,
  down: rules,
  minReplicas: fc.integer({ min: 1, max: 5 }),
  more: fc.nat(40),
  first: fc.nat(40),
  /** What the figures ask for, every 15 seconds. */
  wanted: fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 40 }),
})
type Rules = typeof rules extends fc.Arbitrary<infer T> ? T : never

/** The farthest that the policies let a number go that began with `start`, by one policy. */
const reach = (start: number, type: string, value: number, up: boolean) => {
  if (type === 'Pods') return up ? start + value : start - value
  return up ? Math.ceil(start * (1 + value / 100)) : Math.floor(start * (1 - value / 100))
}

it('never leaves the bounds, nor goes faster than its policies allow, nor where a direction is disabled', () => {
  fc.assert(
    fc.property(scenario, ({ up, down, minReplicas, more, first, wanted }) => {
      const maxReplicas = minReplicas + more
      const spec = { minReplicas, maxReplicas, behavior: { scaleUp: up, scaleDown: down } } as HorizontalPodAutoscalerSpec
      let current = Math.min(Math.max(first, minReplicas), maxReplicas)
      const memory: Memory = { recommended: [{ replicas: current, at: 0 }], ups: [], downs: [] }
      const past: { at: number; replicas: number }[] = []
      for (const [i, desired] of wanted.entries()) {
        const now = i * PERIOD * 1000
        const { replicas: stable } = stabilize(memory, spec, current, desired, now)
        const { replicas } = limit(memory, spec, current, stable, now)
        expect(replicas).toBeGreaterThanOrEqual(minReplicas)
        expect(replicas).toBeLessThanOrEqual(maxReplicas)
        if (replicas !== current) {
          const rising = replicas > current
          expect(isAllowed(rising ? up : down, past, current, replicas, now, rising)).toBe(true)
          remember(memory, spec, current, replicas, now)
        }
        past.push({ at: now, replicas: current })
        current = replicas
      }
    }),
    { numRuns: 300, seed: 5 },
  )
})

/** Each policy looks back to how many there were when its period began. */
function isAllowed(
  { selectPolicy, policies }: Rules,
  past: readonly { at: number; replicas: number }[],
  current: number,
  next: number,
  now: number,
  up: boolean,
): boolean {
  if (selectPolicy === 'Disabled') return false
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = past.find(({ at }) => at > now - periodSeconds * 1000)?.replicas ?? current
    return reach(start, type, value, up)
  })
  const far = (selectPolicy === 'Max') === up ? Math.max(...limits) : Math.min(...limits)
  return up ? next <= far : next >= far
}

it('goes down only to what was enough for the whole window, and up only to what was needed for all of it', () => {
  fc.assert(
    fc.property(scenario, ({ up, down, wanted }) => {
      const spec = { minReplicas: 1, maxReplicas: 500, behavior: { scaleUp: up, scaleDown: down } } as HorizontalPodAutoscalerSpec
      const memory: Memory = { recommended: [], ups: [], downs: [] }
      let current = wanted[0] ?? 1
      const seen: { at: number; desired: number }[] = []
      for (const [i, desired] of wanted.entries()) {
        const now = i * PERIOD * 1000
        seen.push({ at: now, desired })
        const within = (seconds: number) => [desired, ...seen.filter(({ at }) => at > now - seconds * 1000).map((one) => one.desired)]
        const { replicas } = stabilize(memory, spec, current, desired, now)
        if (replicas < current) expect(replicas).toBe(Math.max(...within(down.stabilizationWindowSeconds)))
        if (replicas > current) expect(replicas).toBe(Math.min(...within(up.stabilizationWindowSeconds)))
        current = replicas
      }
    }),
    { numRuns: 300, seed: 6 },
  )
})
