/** How fast, and after how long a time, a recommendation is followed. Source: kubernetes `podautoscaler/horizontal.go`, KEP-853. */
import type { HorizontalPodAutoscalerSpec, HPAScalingPolicy, HPAScalingRules } from '../../api/autoscaling/v2/types.gen.ts'
import { toMilli } from '../../api/values/quantity.ts'
import type { Tolerances } from './replicas.ts'

interface Recommended {
  readonly replicas: number
  readonly at: number
}

/** `by`: how many more, or fewer. */
interface Change {
  readonly by: number
  readonly at: number
}

/** What is remembered of one autoscaler. Times are in milliseconds since the epoch. */
export interface Memory {
  recommended: Recommended[]
  ups: Change[]
  downs: Change[]
}

export interface Limited {
  readonly replicas: number
  /** For the condition ScalingLimited. */
  readonly reason: string
  readonly message: string
}

export interface Stabilized {
  readonly replicas: number
  /** For the condition AbleToScale. */
  readonly reason: string
  readonly message: string
}

const DOWN_WINDOW = 300
const TOLERANCE = 0.1
const UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}
const DOWN: HPAScalingRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

export function tolerancesOf({ behavior }: HorizontalPodAutoscalerSpec): Tolerances {
  const of = (rules: HPAScalingRules | undefined) => (rules?.tolerance === undefined ? TOLERANCE : toMilli(rules.tolerance) / 1000)
  return { up: of(behavior?.scaleUp), down: of(behavior?.scaleDown) }
}

/** Takes the lowest of what was recommended lately on the way up, and the highest on the way down; remembers this one. */
export function stabilize(memory: Memory, spec: HorizontalPodAutoscalerSpec, current: number, desired: number, now: number): Stabilized {
  const upWindow = (spec.behavior?.scaleUp?.stabilizationWindowSeconds ?? 0) * 1000
  const downWindow = (spec.behavior?.scaleDown?.stabilizationWindowSeconds ?? DOWN_WINDOW) * 1000
  const [lowest, highest] = [upWindow, downWindow].map((window, i) =>
    (i === 0 ? Math.min : Math.max)(desired, ...memory.recommended.filter(({ at }) => at > now - window).map(({ replicas }) => replicas)),
  ) as [number, number]
  memory.recommended = memory.recommended.filter(({ at }) => at > now - Math.max(upWindow, downWindow))
  memory.recommended.push({ replicas: desired, at: now })
  const replicas = Math.min(Math.max(current, lowest), highest)
  if (replicas > desired) {
    const message = 'recent recommendations were higher than current one, applying the highest recent recommendation'
    return { replicas, reason: 'ScaleDownStabilized', message }
  }
  if (replicas < desired) {
    const message = 'recent recommendations were lower than current one, applying the lowest recent recommendation'
    return { replicas, reason: 'ScaleUpStabilized', message }
  }
  return { replicas, reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
}

/** Keeps a recommendation within what the policies, and the least and most replicas, allow. */
export function limit(memory: Memory, spec: HorizontalPodAutoscalerSpec, current: number, desired: number, now: number): Limited {
  if (desired > current) {
    const fastest = Math.max(current, upLimit(memory, spec.behavior?.scaleUp ?? UP, current, now))
    if (desired > Math.min(fastest, spec.maxReplicas)) return limitedUp(fastest, spec.maxReplicas)
  } else if (desired < current) {
    const fastest = Math.min(current, downLimit(memory, spec.behavior?.scaleDown ?? DOWN, current, now))
    const least = spec.minReplicas ?? 1
    if (desired < Math.max(fastest, least)) return limitedDown(fastest, least)
  }
  return { replicas: desired, reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
}

export function remember(memory: Memory, spec: HorizontalPodAutoscalerSpec, before: number, after: number, now: number): void {
  const longest = (rules: HPAScalingRules | undefined, usual: HPAScalingRules) =>
    Math.max(...((rules ?? usual).policies ?? []).map(({ periodSeconds }) => periodSeconds), 0) * 1000
  const oldest = now - Math.max(longest(spec.behavior?.scaleUp, UP), longest(spec.behavior?.scaleDown, DOWN))
  memory.ups = memory.ups.filter(({ at }) => at >= oldest)
  memory.downs = memory.downs.filter(({ at }) => at >= oldest)
  if (after > before) memory.ups.push({ by: after - before, at: now })
  else memory.downs.push({ by: before - after, at: now })
}

function limitedUp(fastest: number, most: number): Limited {
  if (fastest < most) {
    return {
      replicas: fastest,
      reason: 'ScaleUpLimit',
      message: 'the desired replica count is increasing faster than the maximum scale rate',
    }
  }
  return { replicas: most, reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' }
}

function limitedDown(fastest: number, least: number): Limited {
  if (fastest > least) {
    return {
      replicas: fastest,
      reason: 'ScaleDownLimit',
      message: 'the desired replica count is decreasing faster than the maximum scale rate',
    }
  }
  return { replicas: least, reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' }
}

function upLimit(memory: Memory, rules: HPAScalingRules, current: number, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const proposals = (rules.policies ?? UP.policies ?? []).map((policy) => {
    const start = atStart(memory, policy, current, now)
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals)
}

function downLimit(memory: Memory, rules: HPAScalingRules, current: number, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const proposals = (rules.policies ?? DOWN.policies ?? []).map((policy) => {
    const start = atStart(memory, policy, current, now)
    return policy.type === 'Pods' ? start - policy.value : Math.floor(start * (1 - policy.value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals)
}

/** How many replicas there were when the policy's period began. */
function atStart({ ups, downs }: Memory, { periodSeconds }: HPAScalingPolicy, current: number, now: number): number {
  const since = now - periodSeconds * 1000
  const sum = (changes: readonly Change[]) => changes.filter(({ at }) => at > since).reduce((total, { by }) => total + by, 0)
  return current - sum(ups) + sum(downs)
}
