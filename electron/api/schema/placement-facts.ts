/** The facts of our PlacementReview, in the form of Kubernetes'. They say what `infra/v1alpha1/placement.ts` says in types. */
import type { FactSchema } from './facts.ts'

export const PLACEMENT_REVIEW_MODEL = 'dev.flotilla.infra.v1alpha1.PlacementReview'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const model = (name: string) => `dev.flotilla.infra.v1alpha1.${name}`
const ref = (name: string, extra: Omit<FactSchema, '$ref'> = {}): FactSchema => ({ $ref: `#/components/schemas/${name}`, ...extra })
const text: FactSchema = { type: 'string' }
const always: FactSchema = { type: 'string', default: '' }
const flag: FactSchema = { type: 'boolean', default: false }
const count: FactSchema = { type: 'integer', format: 'int32', default: 0 }
const number: FactSchema = { type: 'number', format: 'double', default: 0 }
const list = (items: FactSchema): FactSchema => ({ type: 'array', items, 'x-kubernetes-list-type': 'atomic' })
const object = (properties: Record<string, FactSchema>, required: string[] = []): FactSchema =>
  required.length ? { type: 'object', properties, required } : { type: 'object', properties }

export const PLACEMENT_FACTS: Readonly<Record<string, FactSchema>> = {
  [PLACEMENT_REVIEW_MODEL]: object({
    apiVersion: text,
    kind: text,
    metadata: ref(`${META}ObjectMeta`, { default: {} }),
    spec: ref(model('PlacementReviewSpec'), { default: {} }),
    status: ref(model('PlacementReviewStatus'), { default: {} }),
  }),
  [model('PlacementReviewSpec')]: object({ limit: { type: 'integer', format: 'int32', default: 100 }, podName: always }, ['podName']),
  [model('PlacementReviewStatus')]: object({
    lastAttempt: ref(model('PlacementAttempt')),
    message: text,
    nodeName: text,
    nodes: list(ref(model('NodePlacement'))),
    totalNodes: count,
  }),
  [model('PlacementAttempt')]: object(
    {
      attempt: count,
      message: text,
      nodeName: text,
      nodes: list(ref(model('AttemptedNode'))),
      outcome: { type: 'string', enum: ['Failed', 'HeldBack', 'Placed', 'Refused'] },
      time: ref(`${META}Time`),
    },
    ['attempt', 'outcome', 'time'],
  ),
  [model('AttemptedNode')]: object({ refusal: ref(model('FilterVerdict')), name: text, scores: list(ref(model('PluginScore'))), total: number }),
  [model('NodePlacement')]: object(
    {
      filters: list(ref(model('FilterVerdict'))),
      fits: flag,
      name: always,
      scores: list(ref(model('PluginScore'))),
      total: number,
    },
    ['name', 'fits'],
  ),
  [model('FilterVerdict')]: object(
    {
      evidence: list({ type: 'object' }),
      plugin: always,
      reasons: list(text),
      resolvable: flag,
      verdict: { type: 'string', enum: ['Failed', 'Passed', 'Refused', 'Skipped'] },
    },
    ['plugin', 'verdict'],
  ),
  [model('PluginScore')]: object({ plugin: always, score: number, weight: count }, ['plugin', 'score', 'weight']),
}
