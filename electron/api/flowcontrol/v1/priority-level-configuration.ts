import { semanticEqual } from '../../values/equal.ts'
import { ageColumn } from '../../columns.ts'
import { defineKind } from '../../kind.ts'
import { MANDATORY_LEVELS } from './defaults.ts'
import { nonNegative, positive } from '../../meta/v1/validation.ts'
import { forbidden, invalid, notSupported, required, type FieldError } from '../../values/field-error.ts'
import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from './types.gen.ts'

const EXEMPT = 'exempt'
const TYPES = ['Exempt', 'Limited']
const RESPONSES = ['Queue', 'Reject']
const DEFAULT_SHARES = 30
const DEFAULT_QUEUING: QueuingConfiguration = { queues: 64, handSize: 8, queueLengthLimit: 50 }
const MAX_QUEUES = 10_000_000
/** Dealing a hand uses up this much of a 64-bit hash. */
const MAX_ENTROPY_BITS = 60

export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  resource: 'prioritylevelconfigurations',
  namespaced: false,
  model: 'io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration',
  subresources: { status: true },
  columns: [
    { name: 'Type', type: 'string', description: 'Whether it limits anything', value: ({ spec }) => spec.type },
    {
      name: 'NominalConcurrencyShares',
      type: 'string',
      description: 'Its part of the server’s seats',
      value: ({ spec }) => String((spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? '<none>'),
    },
    { name: 'Queues', type: 'string', description: 'How many queues it has', value: (level) => queuingText(level, 'queues') },
    { name: 'HandSize', type: 'string', description: 'How many of them a flow may use', value: (level) => queuingText(level, 'handSize') },
    {
      name: 'QueueLengthLimit',
      type: 'string',
      description: 'How many requests may wait in one',
      value: (level) => queuingText(level, 'queueLengthLimit'),
    },
    ageColumn,
  ],
  strategy: {
    defaults: ({ spec }) => defaultSpec(spec),
    validate: ({ metadata, spec }) => [...validateSpec(metadata.name, spec), ...validateFixed(metadata.name, spec)],
  },
})

function queuingText({ spec }: PriorityLevelConfiguration, field: keyof QueuingConfiguration): string {
  return String(spec.limited?.limitResponse?.queuing?.[field] ?? '<none>')
}

function defaultSpec({ type, exempt, limited }: PriorityLevelConfigurationSpec): void {
  if (type === 'Exempt' && exempt) {
    exempt.nominalConcurrencyShares ??= 0
    exempt.lendablePercent ??= 0
  }
  if (!limited) return
  limited.nominalConcurrencyShares ??= DEFAULT_SHARES
  limited.lendablePercent ??= 0
  const { queuing } = limited.limitResponse
  if (!queuing) return
  queuing.queues ||= DEFAULT_QUEUING.queues
  queuing.handSize ||= DEFAULT_QUEUING.handSize
  queuing.queueLengthLimit ||= DEFAULT_QUEUING.queueLengthLimit
}

function validateSpec(name: string, { type, exempt, limited }: PriorityLevelConfigurationSpec): FieldError[] {
  if (!TYPES.includes(type)) return [notSupported('spec.type', type, TYPES)]
  const out: FieldError[] = []
  if ((type === 'Exempt') !== (name === EXEMPT))
    out.push(invalid('spec.type', type, "type must be 'Exempt' if and only if `name` is 'exempt'"))
  if (type === 'Exempt') {
    if (limited) out.push(forbidden('spec.limited', "must be nil if the type is not 'Limited'"))
    return [
      ...out,
      ...nonNegative('spec.exempt.nominalConcurrencyShares', exempt?.nominalConcurrencyShares),
      ...percent('spec.exempt.lendablePercent', exempt?.lendablePercent),
    ]
  }
  if (exempt) out.push(forbidden('spec.exempt', "must be nil if the type is 'Limited'"))
  return limited ? [...out, ...validateLimited(limited, 'spec.limited')] : [...out, required('spec.limited', 'must not be empty')]
}

/** How much the exempt level lends and counts for is its owner's. */
function validateFixed(name: string, spec: PriorityLevelConfigurationSpec): FieldError[] {
  const fixed = MANDATORY_LEVELS.find(({ metadata }) => metadata.name === name)
  if (!fixed || name === EXEMPT || semanticEqual(spec, fixed.spec)) return []
  return [invalid('spec', spec, `spec of '${name}' must equal the fixed value`)]
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, field: string): FieldError[] {
  return [
    ...nonNegative(`${field}.nominalConcurrencyShares`, limited.nominalConcurrencyShares),
    ...percent(`${field}.lendablePercent`, limited.lendablePercent),
    ...nonNegative(`${field}.borrowingLimitPercent`, limited.borrowingLimitPercent),
    ...validateResponse(limited.limitResponse, `${field}.limitResponse`),
  ]
}

function percent(field: string, value: number | undefined): FieldError[] {
  return value === undefined || (value >= 0 && value <= 100) ? [] : [invalid(field, value, 'must be between 0 and 100, inclusive')]
}

function validateResponse({ type, queuing }: LimitResponse, field: string): FieldError[] {
  if (!RESPONSES.includes(type)) return [notSupported(`${field}.type`, type, RESPONSES)]
  if (type === 'Reject') return queuing ? [forbidden(`${field}.queuing`, "must be nil if limited.limitResponse.type is not 'Limited'")] : []
  if (!queuing) return [required(`${field}.queuing`, "must not be empty if limited.limitResponse.type is 'Limited'")]
  const { queues, handSize, queueLengthLimit } = queuing
  const at = `${field}.queuing`
  const out = [
    ...positive(`${at}.queueLengthLimit`, queueLengthLimit),
    ...positive(`${at}.queues`, queues),
    ...positive(`${at}.handSize`, handSize),
  ]
  if (queues > MAX_QUEUES) out.push(invalid(`${at}.queues`, queues, `must not be greater than ${MAX_QUEUES}`))
  if (handSize > queues) out.push(invalid(`${at}.handSize`, handSize, `should not be greater than queues (${queues})`))
  else if (entropyBits(queues, handSize) > MAX_ENTROPY_BITS)
    out.push(
      invalid(
        `${at}.handSize`,
        handSize,
        `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than 60`,
      ),
    )
  return out
}

/** Of choosing `hand` queues in order. */
function entropyBits(queues: number, hand: number): number {
  let bits = 0
  for (let i = 0; i < hand && i < queues; i++) bits += Math.log2(queues - i)
  return Math.ceil(bits)
}
