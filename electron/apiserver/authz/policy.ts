/** The cluster's RBAC objects arranged by who they concern, kept up to date one object at a time. */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from '../../api/rbac/v1/types.gen.ts'
import type { UserInfo } from '../types.ts'
import { CompiledRules, type Probe } from './rules.ts'

export type AnyRole = Role | ClusterRole
export type AnyBinding = RoleBinding | ClusterRoleBinding

/** One subject of one binding. */
interface Grant {
  readonly binding: AnyBinding
  readonly subject: Subject
  /** Key of the role it gives. */
  readonly role: string
}

interface Grants {
  readonly cluster: Set<Grant>
  readonly namespaces: Map<string, Set<Grant>>
}

export interface Verdict {
  readonly allowed: boolean
  readonly reason: string
}

const RBAC_GROUP = 'rbac.authorization.k8s.io'

export class RbacPolicy {
  readonly #roles = new Map<string, CompiledRules>()
  readonly #subjects = new Map<string, Grants>()
  readonly #grants = new Map<string, readonly (readonly [string, Grant])[]>()

  setRole(role: AnyRole): void {
    this.#roles.set(roleKey(role.kind, role.metadata.namespace, role.metadata.name), new CompiledRules(role.rules ?? []))
  }

  deleteRole(role: AnyRole): void {
    this.#roles.delete(roleKey(role.kind, role.metadata.namespace, role.metadata.name))
  }

  setBinding(binding: AnyBinding): void {
    this.deleteBinding(binding)
    const { namespace } = binding.metadata
    const role = roleKey(binding.roleRef.kind, binding.roleRef.kind === 'Role' ? namespace : undefined, binding.roleRef.name)
    const grants = (binding.subjects ?? []).flatMap((subject) => {
      const who = subjectKey(subject, namespace)
      return who ? [[who, { binding, subject, role }] as const] : []
    })
    for (const [who, grant] of grants) this.#scope(who, namespace).add(grant)
    this.#grants.set(bindingKey(binding), grants)
  }

  deleteBinding(binding: AnyBinding): void {
    const { namespace } = binding.metadata
    for (const [who, grant] of this.#grants.get(bindingKey(binding)) ?? []) {
      const scope = this.#scope(who, namespace)
      scope.delete(grant)
      const all = this.#subjects.get(who)
      if (scope.size || !all) continue
      if (namespace) all.namespaces.delete(namespace)
      if (!all.cluster.size && !all.namespaces.size) this.#subjects.delete(who)
    }
    this.#grants.delete(bindingKey(binding))
  }

  /** `namespace` "" asks for what holds in the whole cluster. */
  decide(user: UserInfo, namespace: string, probe: Probe): Verdict {
    let missing: Set<string> | null = null
    for (const grant of this.#concerning(user, namespace)) {
      const rules = this.#roles.get(grant.role)
      if (!rules) (missing ??= new Set()).add(missingRole(grant.binding.roleRef))
      else if (rules.allows(probe)) return { allowed: true, reason: `RBAC: allowed by ${describe(grant)}` }
    }
    return { allowed: false, reason: missing ? `RBAC: ${aggregate([...missing])}` : '' }
  }

  /** All rules that apply to a user in a namespace, and which roles are bound but do not exist. */
  rulesFor(user: UserInfo, namespace: string): { rules: PolicyRule[]; errors: string[] } {
    const roles = new Set<string>()
    const errors = new Set<string>()
    for (const grant of this.#concerning(user, namespace)) {
      if (this.#roles.has(grant.role)) roles.add(grant.role)
      else errors.add(missingRole(grant.binding.roleRef))
    }
    return { rules: [...roles].flatMap((role) => this.#roles.get(role)?.rules ?? []), errors: [...errors] }
  }

  /** The rules behind a binding's reference; null if there is no such role. */
  rulesOf(ref: RoleRef, namespace: string | undefined): readonly PolicyRule[] | null {
    return this.#roles.get(roleKey(ref.kind, ref.kind === 'Role' ? namespace : undefined, ref.name))?.rules ?? null
  }

  *#concerning(user: UserInfo, namespace: string): Generator<Grant, void, void> {
    const who = [`User ${user.name}`]
    for (const group of user.groups) who.push(`Group ${group}`)
    const found = who.map((key) => this.#subjects.get(key))
    for (const grants of found) if (grants) yield* grants.cluster
    if (!namespace) return
    for (const grants of found) {
      const inNamespace = grants?.namespaces.get(namespace)
      if (inNamespace) yield* inNamespace
    }
  }

  #scope(who: string, namespace: string | undefined): Set<Grant> {
    let all = this.#subjects.get(who)
    if (!all) this.#subjects.set(who, (all = { cluster: new Set(), namespaces: new Map() }))
    if (!namespace) return all.cluster
    let scope = all.namespaces.get(namespace)
    if (!scope) all.namespaces.set(namespace, (scope = new Set()))
    return scope
  }
}

function roleKey(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ''}/${name}`
}

function bindingKey(binding: AnyBinding): string {
  return `${binding.metadata.namespace ?? ''}/${binding.metadata.name}`
}

/** Service accounts are users by their user name; one of a RoleBinding without namespace is of the binding's. */
function subjectKey(subject: Subject, namespace: string | undefined): string | null {
  if (subject.kind === 'User' || subject.kind === 'Group') return `${subject.kind} ${subject.name}`
  if (subject.kind !== 'ServiceAccount') return null
  const home = subject.namespace ?? namespace
  return home ? `User system:serviceaccount:${home}:${subject.name}` : null
}

function describe({ binding, subject }: Grant): string {
  const { namespace, name } = binding.metadata
  const what = namespace ? `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}` : `ClusterRoleBinding ${JSON.stringify(name)}`
  const home = subject.namespace ?? namespace
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${home}` : subject.name
  return `${what} of ${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`
}

function missingRole(ref: RoleRef): string {
  return `${ref.kind.toLowerCase()}.${RBAC_GROUP} ${JSON.stringify(ref.name)} not found`
}

export function aggregate(errors: readonly string[]): string {
  return errors.length === 1 ? String(errors[0]) : `[${errors.join(', ')}]`
}
