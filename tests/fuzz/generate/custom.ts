/** Custom resources: definitions with schemas made at random, and objects that do and do not fit them. */
import type { Actor } from '../run/actor.ts'
import { ALL_VERBS } from '../../../electron/api/kind.ts'
import { roundTrip } from '../oracle/round-trip.ts'
import { jsonBody, plainBody } from './bodies.ts'
import type { Dice } from './dice.ts'
import { NAMESPACES, PREFIX, type Loose } from './objects.ts'
import { bury, read, write } from './scenario.ts'
import { hostileValue } from './values.ts'

const GROUP = 'fuzz.example'
const RULES = [
  { rule: 'self.size() >= 0' },
  { rule: 'true', message: 'm' },
  { rule: 'self == oldSelf', message: 'immutable' },
  { rule: 'has(self.a)' },
  { rule: 'nope(' },
  { rule: '' },
  { rule: 'self.all(x, x.all(y, y.all(z, true)))' },
  { rule: "self.matches('(a+)+$')" },
]

function schema(dice: Dice, depth: number): Loose {
  const type = depth > 4 ? 'string' : dice.one(['object', 'object', 'array', 'string', 'integer', 'number', 'boolean'])
  const common: Loose = {
    ...(dice.chance(0.1) ? { nullable: true } : {}),
    ...(dice.chance(0.1) ? { description: 'x' } : {}),
    ...(dice.chance(0.05) ? { 'x-kubernetes-validations': [dice.one(RULES)] } : {}),
    ...(dice.chance(0.04) ? { default: hostileValue(dice) } : {}),
    ...(dice.chance(0.03)
      ? { [dice.one(['$ref', 'pattern', 'format', 'enum', 'oneOf', 'not', 'items', 'maxLength', 'type'])]: hostileValue(dice) }
      : {}),
  }
  switch (type) {
    case 'object':
      return {
        type,
        ...(dice.chance(0.2)
          ? { additionalProperties: schema(dice, depth + 1) }
          : {
              properties: Object.fromEntries(
                dice.many(dice.int(4), (i) => [
                  dice.one(['a', 'b', 'c', 'é', 'a-b', '__proto', 'constructor', `p${i}`]),
                  schema(dice, depth + 1),
                ]),
              ),
            }),
        ...(dice.chance(0.2) ? { required: ['a'] } : {}),
        ...(dice.chance(0.2) ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
        ...(dice.chance(0.1) ? { maxProperties: dice.int(3) } : {}),
        ...common,
      }
    case 'array':
      return {
        type,
        items: schema(dice, depth + 1),
        ...(dice.chance(0.3) ? { 'x-kubernetes-list-type': dice.one(['atomic', 'set', 'map', 'nope']) } : {}),
        ...(dice.chance(0.2) ? { 'x-kubernetes-list-map-keys': ['a'] } : {}),
        ...(dice.chance(0.2) ? { maxItems: dice.int(4) } : {}),
        ...common,
      }
    case 'string':
      return {
        type,
        ...(dice.chance(0.2) ? { pattern: dice.one(['^a+$', '(a+)+$', '[', '\\p{L}']) } : {}),
        ...(dice.chance(0.2) ? { enum: ['x', 'y'] } : {}),
        ...common,
      }
    case 'integer':
      return dice.chance(0.2)
        ? { 'x-kubernetes-int-or-string': true, ...common }
        : { type, ...(dice.chance(0.2) ? { minimum: 0, maximum: 10 } : {}), ...common }
    default:
      return { type, ...common }
  }
}

function fitting(dice: Dice, given: Loose, depth = 0): unknown {
  if (dice.chance(0.06)) return hostileValue(dice)
  switch (given['type']) {
    case 'object': {
      const properties = (given['properties'] ?? {}) as Record<string, Loose>
      const out: Loose = {}
      for (const [name, one] of Object.entries(properties)) if (dice.chance(0.8)) out[name] = fitting(dice, one, depth + 1)
      const more = given['additionalProperties'] as Loose | undefined
      if (more) out['k'] = fitting(dice, more, depth + 1)
      if (dice.chance(0.2)) out['unknown'] = hostileValue(dice)
      return out
    }
    case 'array':
      return dice.many(dice.int(3), () => fitting(dice, (given['items'] ?? {}) as Loose, depth + 1))
    case 'string':
      return dice.one(['x', 'y', 'aaa', ''])
    case 'integer':
      return dice.int(10)
    case 'number':
      return dice.one([0.5, 2])
    case 'boolean':
      return dice.chance(0.5)
    default:
      return dice.one([1, '50%'])
  }
}

export async function customScenario(actor: Actor, dice: Dice, number: number): Promise<void> {
  const plural = `${PREFIX.replace('-', '')}k${number}s`
  const name = `${plural}.${GROUP}`
  const namespaced = dice.chance(0.6)
  const spec = schema(dice, 1)
  // What a create drops and each read has by default is written by the first update, as upstream.
  const { default: _, ...status } = schema(dice, 3)
  const root = { type: 'object', properties: { spec, status } }
  const version = (of: string, storage: boolean) => ({
    name: of,
    served: true,
    storage,
    schema: { openAPIV3Schema: root },
    ...(dice.chance(0.5)
      ? {
          subresources: {
            status: {},
            ...(dice.chance(0.3) ? { scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.a' } } : {}),
          },
        }
      : {}),
    ...(dice.chance(0.3)
      ? {
          additionalPrinterColumns: [
            { name: 'A', type: dice.one(['string', 'date', 'integer']), jsonPath: dice.one(['.spec.a', '.spec.b[*].c', '.spec[', '.']) },
          ],
        }
      : {}),
    ...(dice.chance(0.2) ? { selectableFields: [{ jsonPath: '.spec.a' }] } : {}),
  })
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group: GROUP,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: {
        plural,
        singular: plural.slice(0, -1),
        kind: `Fz${number}`,
        ...(dice.chance(0.3) ? { shortNames: [`s${number}`], categories: ['all'] } : {}),
      },
      versions: dice.chance(0.3) ? [version('v1', true), version('v2', false)] : [version('v1', true)],
    },
  }
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const created = await actor.ask(write(dice, 'POST', definitions, jsonBody(definition)))
  if (created?.status !== 201) return
  const collection = `/apis/${GROUP}/v1/${namespaced ? `namespaces/${dice.one(NAMESPACES)}/` : ''}${plural}`
  const served = await established(actor, dice, `${definitions}/${name}`)
  for (let i = served ? 1 + dice.int(3) : 0; i > 0; i--) {
    const object = { apiVersion: `${GROUP}/v1`, kind: `Fz${number}`, metadata: { name: `${PREFIX}${i}` }, spec: fitting(dice, spec) }
    const made = await actor.ask(write(dice, 'POST', collection, plainBody(dice, object)))
    const target = `${collection}/${PREFIX}${i}`
    if (made?.status === 201) await roundTrip(actor, dice, { verbs: ALL_VERBS }, target, made.object)
    const type = dice.one([
      'application/merge-patch+json',
      'application/json-patch+json',
      'application/apply-patch+yaml',
      'application/strategic-merge-patch+json',
    ])
    const patch = type.includes('json-patch')
      ? [{ op: 'add', path: '/spec/a', value: hostileValue(dice) }]
      : { ...object, spec: fitting(dice, spec) }
    await actor.send(write(dice, 'PATCH', `${target}?fieldManager=m`, jsonBody(patch, type)))
    await actor.send(read(dice, collection, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }))
  }
  if (dice.chance(0.2)) {
    const changed = jsonBody(
      {
        spec: {
          versions: [{ ...version('v1', true), schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema(dice, 1) } } } }],
        },
      },
      'application/merge-patch+json',
    )
    await actor.send(write(dice, 'PATCH', `${definitions}/${name}`, changed))
    await actor.send(read(dice, collection))
  }
  if (dice.chance(0.05)) await actor.send(read(dice, dice.one(['/openapi/v2', `/openapi/v3/apis/${GROUP}/v1`])))
  await bury(actor, dice, `${definitions}/${name}`, true)
}

async function established(actor: Actor, dice: Dice, target: string): Promise<boolean> {
  for (let i = 0; i < 40; i++) {
    const found = await actor.ask(read(dice, target))
    const { conditions = [] } = (found?.object?.['status'] ?? {}) as { conditions?: { type: string; status: string }[] }
    if (conditions.some((one) => one.type === 'Established' && one.status === 'True')) return true
    if (conditions.some((one) => one.type === 'NamesAccepted' && one.status === 'False')) return false
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  return false
}
