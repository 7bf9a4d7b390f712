/** Whether someone may do something. Source: apiserver `cel/library/authz.go`. */
import { nameIsDnsLabel, nameIsDnsSubdomain } from '../../../../api/values/names.ts'
import { CelError, Suspension } from '../../errors.ts'
import { define, method, type FunctionDeclaration } from '../../functions.ts'
import { BOOL, STRING, opaque, type CelType } from '../../types.ts'
import { Opaque } from '../../values.ts'

export const AUTHORIZER_TYPE = opaque('kubernetes.authorization.Authorizer')
const PATH_TYPE = opaque('kubernetes.authorization.PathCheck')
const GROUP_TYPE = opaque('kubernetes.authorization.GroupCheck')
export const RESOURCE_CHECK_TYPE = opaque('kubernetes.authorization.ResourceCheck')
const DECISION_TYPE = opaque('kubernetes.authorization.Decision')
export const AUTHORIZATION_TYPES = [AUTHORIZER_TYPE, PATH_TYPE, GROUP_TYPE, RESOURCE_CHECK_TYPE, DECISION_TYPE]

export interface ResourceQuestion {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly fieldSelector: string
  readonly labelSelector: string
}

export interface AuthorizationQuestion {
  readonly verb: string
  /** Who is asked for instead of the request's user. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
  /** One of the two. */
  readonly path?: string
  readonly resource?: ResourceQuestion
}

export interface AuthorizationAnswer {
  readonly allowed: boolean
  readonly reason: string
  /** Why there is no answer. */
  readonly error?: string
}

export type AskAuthorizer = (question: AuthorizationQuestion) => Promise<AuthorizationAnswer>

/** Questions and their answers: each is asked once for one request, and evaluation waits for it with a Suspension. */
class Answers {
  readonly #ask: AskAuthorizer
  readonly #known = new Map<string, AuthorizationAnswer>()
  readonly #pending = new Map<string, Promise<unknown>>()
  constructor(ask: AskAuthorizer) {
    this.#ask = ask
  }
  get(question: AuthorizationQuestion): AuthorizationAnswer {
    const key = JSON.stringify(question)
    const known = this.#known.get(key)
    if (known) return known
    const ready = this.#pending.get(key) ?? this.#asked(key, question)
    throw new Suspension(ready)
  }

  #asked(key: string, question: AuthorizationQuestion): Promise<unknown> {
    const ready = this.#ask(question).then(
      (answer) => this.#known.set(key, answer),
      (error: unknown) => this.#known.set(key, { allowed: false, reason: '', error: (error as Error).message }),
    )
    this.#pending.set(key, ready)
    return ready
  }
}

abstract class Part extends Opaque {
  equals(other: Opaque): boolean {
    return this === other
  }
}

class Authorizer extends Part {
  readonly type = AUTHORIZER_TYPE
  readonly answers: Answers
  readonly serviceAccount: AuthorizationQuestion['serviceAccount']
  constructor(answers: Answers, serviceAccount?: AuthorizationQuestion['serviceAccount']) {
    super()
    this.answers = answers
    this.serviceAccount = serviceAccount
  }
  ask(question: AuthorizationQuestion): Decision {
    const { serviceAccount } = this
    return new Decision(this.answers.get(serviceAccount ? { ...question, serviceAccount } : question))
  }
}

class PathCheck extends Part {
  readonly type = PATH_TYPE
  readonly authorizer: Authorizer
  readonly path: string
  constructor(authorizer: Authorizer, path: string) {
    super()
    this.authorizer = authorizer
    this.path = path
  }
}

class GroupCheck extends Part {
  readonly type = GROUP_TYPE
  readonly authorizer: Authorizer
  readonly group: string
  constructor(authorizer: Authorizer, group: string) {
    super()
    this.authorizer = authorizer
    this.group = group
  }
}

class ResourceCheck extends Part {
  readonly type = RESOURCE_CHECK_TYPE
  readonly authorizer: Authorizer
  readonly resource: ResourceQuestion
  constructor(authorizer: Authorizer, resource: ResourceQuestion) {
    super()
    this.authorizer = authorizer
    this.resource = resource
  }
}

class Decision extends Part {
  readonly type = DECISION_TYPE
  readonly answer: AuthorizationAnswer
  constructor(answer: AuthorizationAnswer) {
    super()
    this.answer = answer
  }
}

/** The values of `authorizer` and, for a request about a resource, of `authorizer.requestResource`. */
export function authorizerValues(ask: AskAuthorizer, resource: Partial<ResourceQuestion> & Pick<ResourceQuestion, 'group' | 'resource'>) {
  const authorizer = new Authorizer(new Answers(ask))
  return { authorizer, requestResource: new ResourceCheck(authorizer, { ...ANY, ...resource }) }
}

const ANY = { subresource: '', namespace: '', name: '', fieldSelector: '', labelSelector: '' }

function filled(text: string, what: string): string {
  if (text.trim() === '') throw new CelError(`${what} must not be empty`)
  return text
}

function serviceAccount({ answers }: Authorizer, namespace: string, name: string): Authorizer {
  if (nameIsDnsSubdomain(name).length > 0) throw new CelError('Invalid service account name')
  if (nameIsDnsLabel(namespace).length > 0) throw new CelError('Invalid service account namespace')
  return new Authorizer(answers, { namespace, name })
}

const narrowed = (name: keyof Omit<ResourceQuestion, 'group' | 'resource'>): FunctionDeclaration =>
  define(
    name,
    method(
      name.endsWith('Selector') ? `authorizer_${name.toLowerCase()}` : `resourcecheck_${name}`,
      [RESOURCE_CHECK_TYPE, STRING],
      RESOURCE_CHECK_TYPE,
      ({ authorizer, resource }: ResourceCheck, value: string) => new ResourceCheck(authorizer, { ...resource, [name]: value }),
    ),
  )

const decided = (name: string, type: CelType, run: (answer: AuthorizationAnswer) => string | boolean): FunctionDeclaration =>
  define(
    name,
    method(`decision_${name}`, [DECISION_TYPE], type, ({ answer }: Decision) => run(answer)),
  )

export const AUTHORIZER_FUNCTIONS: readonly FunctionDeclaration[] = [
  define(
    'path',
    method(
      'authorizer_path',
      [AUTHORIZER_TYPE, STRING],
      PATH_TYPE,
      (one: Authorizer, path: string) => new PathCheck(one, filled(path, 'path')),
    ),
  ),
  define(
    'group',
    method('authorizer_group', [AUTHORIZER_TYPE, STRING], GROUP_TYPE, (one: Authorizer, group: string) => new GroupCheck(one, group)),
  ),
  define('serviceAccount', method('authorizer_serviceaccount', [AUTHORIZER_TYPE, STRING, STRING], AUTHORIZER_TYPE, serviceAccount)),
  define(
    'resource',
    method(
      'groupcheck_resource',
      [GROUP_TYPE, STRING],
      RESOURCE_CHECK_TYPE,
      ({ authorizer, group }: GroupCheck, resource: string) =>
        new ResourceCheck(authorizer, { ...ANY, group, resource: filled(resource, 'resource') }),
    ),
  ),
  narrowed('subresource'),
  narrowed('namespace'),
  narrowed('name'),
  narrowed('fieldSelector'),
  narrowed('labelSelector'),
  define(
    'check',
    method('pathcheck_check', [PATH_TYPE, STRING], DECISION_TYPE, ({ authorizer, path }: PathCheck, verb: string) =>
      authorizer.ask({ verb, path }),
    ),
    method('resourcecheck_check', [RESOURCE_CHECK_TYPE, STRING], DECISION_TYPE, ({ authorizer, resource }: ResourceCheck, verb: string) =>
      authorizer.ask({ verb, resource }),
    ),
  ),
  decided('errored', BOOL, ({ error }) => error !== undefined),
  decided('error', STRING, ({ error }) => error ?? ''),
  decided('allowed', BOOL, ({ allowed }) => allowed),
  decided('reason', STRING, ({ reason }) => reason),
]
