/** How full a node would be, as a score. Source: `plugins/noderesources` least_allocated, most_allocated, requested_to_capacity_ratio. */
import { MAX_SCORE } from '../../framework/framework.ts'

export interface WeightedResource {
  readonly name: string
  /** From 1 to 100. */
  readonly weight: number
}

/** A point of a broken line: utilization in percent, score from 0 to 10. */
export interface ShapePoint {
  readonly utilization: number
  readonly score: number
}

export type ScoringStrategy =
  /** Likes empty nodes. */
  | { readonly type: 'LeastAllocated'; readonly resources: readonly WeightedResource[] }
  /** Likes full nodes. */
  | { readonly type: 'MostAllocated'; readonly resources: readonly WeightedResource[] }
  /** Likes what the line says. */
  | {
      readonly type: 'RequestedToCapacityRatio'
      readonly resources: readonly WeightedResource[]
      readonly shape: readonly ShapePoint[]
    }

/** `requested` with the pod, and `allocatable`, in the order of the strategy's resources; 0 allocatable: not looked at. */
export type Scorer = (requested: readonly number[], allocatable: readonly number[]) => number

const MAX_SHAPE_SCORE = 10

/** Throws for a strategy that kube-scheduler would refuse. */
export function scorerOf(strategy: ScoringStrategy): Scorer {
  const { resources } = strategy
  const fault = (why: string) => new Error(`NodeResourcesFit: ${why}`)
  for (const { name, weight } of resources) {
    if (!(weight >= 1 && weight <= 100)) throw fault(`the weight of ${name} must be from 1 to 100`)
  }
  switch (strategy.type) {
    case 'LeastAllocated':
      return weighted(resources, leastAllocated)
    case 'MostAllocated':
      return weighted(resources, mostAllocated)
    case 'RequestedToCapacityRatio': {
      const { shape } = strategy
      if (shape.length === 0) throw fault('the shape needs at least one point')
      shape.forEach(({ utilization, score }, i) => {
        if (!(utilization >= 0 && utilization <= 100)) throw fault('utilization must be from 0 to 100')
        if (utilization <= (shape[i - 1]?.utilization ?? -1)) throw fault('utilization must grow from point to point')
        if (!(score >= 0 && score <= MAX_SHAPE_SCORE)) throw fault(`a score must be from 0 to ${MAX_SHAPE_SCORE}`)
      })
      return byShape(resources, shape)
    }
  }
}

type OneScore = (requested: number, allocatable: number) => number

function leastAllocated(requested: number, allocatable: number): number {
  return requested > allocatable ? 0 : Math.trunc(((allocatable - requested) * MAX_SCORE) / allocatable)
}

function mostAllocated(requested: number, allocatable: number): number {
  return Math.trunc((Math.min(requested, allocatable) * MAX_SCORE) / allocatable)
}

function weighted(resources: readonly WeightedResource[], one: OneScore): Scorer {
  return (requested, allocatable) => {
    let sum = 0
    let weights = 0
    for (let i = 0; i < resources.length; i++) {
      const there = allocatable[i] as number
      if (there === 0) continue
      const { weight } = resources[i] as WeightedResource
      sum += one(requested[i] as number, there) * weight
      weights += weight
    }
    return weights === 0 ? 0 : Math.trunc(sum / weights)
  }
}

/** A resource whose score is 0 does not count at all. */
function byShape(resources: readonly WeightedResource[], shape: readonly ShapePoint[]): Scorer {
  return (requested, allocatable) => {
    let sum = 0
    let weights = 0
    for (let i = 0; i < resources.length; i++) {
      const there = allocatable[i] as number
      if (there === 0) continue
      const wanted = requested[i] as number
      const score = onLine(shape, wanted > there ? 100 : Math.trunc((wanted * 100) / there))
      if (score <= 0) continue
      const { weight } = resources[i] as WeightedResource
      sum += score * weight
      weights += weight
    }
    return weights === 0 ? 0 : Math.round(sum / weights)
  }
}

function onLine(shape: readonly ShapePoint[], utilization: number): number {
  const scale = MAX_SCORE / MAX_SHAPE_SCORE
  for (let i = 0; i < shape.length; i++) {
    const to = shape[i] as ShapePoint
    if (utilization > to.utilization) continue
    const from = shape[i - 1]
    if (!from) return to.score * scale
    const rise = (to.score - from.score) * scale * (utilization - from.utilization)
    return from.score * scale + Math.trunc(rise / (to.utilization - from.utilization))
  }
  return (shape.at(-1)?.score ?? 0) * scale
}
