/** The user that a token's claims stand for. Source: kubernetes "OpenID Connect Tokens", KEP-3331. Throws Error that says which claim. */
import type { JsonObject } from '../../../machinery/json-value.ts'
import { fromJson } from '../../../machinery/cel/json.ts'
import { Budget, type Program } from '../../../machinery/cel/program.ts'
import type { Bindings } from '../../../machinery/cel/frame.ts'
import { CelList, type Value } from '../../../machinery/cel/values.ts'
import type { UserInfo } from '../../types.ts'
import type { ClaimRule, JwtConfig, TextSource } from '../config/authentication-configuration.ts'
import { CLAIMS_TYPE, USER_TYPE } from './claim-expressions.ts'

/** What all expressions about one token may cost. */
const BUDGET = 10_000_000

export function userOfClaims(config: JwtConfig, claims: JsonObject): UserInfo {
  const over: Over = { claims, bindings: { claims: fromJson(claims, CLAIMS_TYPE) }, budget: new Budget(BUDGET) }
  const name = userNameOf(config.username, over)
  const groups = config.groups ? groupsOf(config.groups, over) : []
  const uid = config.uid ? textOf(config.uid, 'uid', over) : ''
  const extra: Record<string, string[]> = {}
  for (const { key, value } of config.extra) {
    const values = textsOf(run(value, `extra[${key}]`, over), `extra[${key}]`)
    if (values.length > 0) extra[key] = values
  }
  for (const rule of config.claimRules) checkClaim(rule, over)
  const user = { name, groups, ...(uid ? { uid } : {}), ...(Object.keys(extra).length > 0 ? { extra } : {}) }
  const seen = { username: name, uid, groups, extra }
  const about: Over = { ...over, bindings: { user: fromJson(seen, USER_TYPE) } }
  for (const { expression, message } of config.userRules) mustHold(expression, message, about)
  return user
}

interface Over {
  readonly claims: JsonObject
  readonly bindings: Bindings
  readonly budget: Budget
}

function userNameOf(source: TextSource, over: Over): string {
  if (source.expression) {
    const name = textOf(source, 'username', over)
    if (!name) throw new Error('oidc: empty username via CEL expression is not allowed')
    return name
  }
  const { claim, prefix } = source
  const value = over.claims[claim]
  if (value === undefined) throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: claim not present`)
  if (typeof value !== 'string') throw new Error(`oidc: parse username claims ${JSON.stringify(claim)}: it is no string`)
  if (value === '') throw new Error(`oidc: the username claim ${JSON.stringify(claim)} is empty`)
  // An address that nobody has proved to have would let its user be anybody (OpenID Connect Core 5.7).
  const verified = over.claims['email_verified']
  if (claim === 'email' && verified !== undefined && verified !== true) throw new Error('oidc: email not verified')
  return `${prefix}${value}`
}

function groupsOf(source: TextSource, over: Over): string[] {
  if (source.expression) return textsOf(run(source.expression, 'groups', over), 'groups')
  const value = over.claims[source.claim]
  if (value === undefined || value === null) return []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.map((one) => {
    if (typeof one !== 'string') throw new Error(`oidc: parse groups claim ${JSON.stringify(source.claim)}: it holds what is no string`)
    return `${source.prefix}${one}`
  })
}

function textOf(source: TextSource, what: string, over: Over): string {
  const value = source.expression ? run(source.expression, what, over) : over.claims[source.claim]
  if (typeof value === 'string') return value
  if (!source.expression) throw new Error(`oidc: the ${what} claim ${JSON.stringify(source.claim)} is missing or no string`)
  throw new Error(`oidc: error evaluating ${what} claim expression: it must return a string`)
}

function textsOf(value: Value, what: string): string[] {
  if (value === null || value === '') return []
  if (typeof value === 'string') return [value]
  if (!(value instanceof CelList))
    throw new Error(`oidc: error evaluating ${what} claim expression: it must return a string or a list of strings`)
  return [...value].flatMap((one) => {
    if (typeof one !== 'string') throw new Error(`oidc: error evaluating ${what} claim expression: its list holds what is no string`)
    return one === '' ? [] : [one]
  })
}

function checkClaim(rule: ClaimRule, over: Over): void {
  if (rule.expression) return mustHold(rule.expression, rule.message, over)
  const value = over.claims[rule.claim]
  if (value === undefined) throw new Error(`oidc: required claim ${rule.claim} not present in ID token`)
  if (value !== rule.requiredValue) throw new Error(`oidc: required claim ${rule.claim} does not have the required value`)
}

function mustHold(expression: Program, message: string, over: Over): void {
  if (run(expression, 'validation', over) === true) return
  throw new Error(`oidc: validation expression '${expression.source}' failed${message ? `: ${message}` : ''}`)
}

function run(expression: Program, what: string, { bindings, budget }: Over): Value {
  let value: Value
  try {
    value = expression.evaluate(bindings, budget)
  } catch (error) {
    throw new Error(`oidc: error evaluating ${what} claim expression: ${(error as Error).message}`, { cause: error })
  }
  if (budget.exhausted) throw new Error('oidc: the expressions about the token cost too much')
  return value
}
