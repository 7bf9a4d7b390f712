/**
 * What a node's agent may do: read what its own pods refer to, read and report on its own pods and its own Node, and read what every
 * node needs for its network. What an object may contain is the admission check's part (`node-restriction.ts`).
 * Source: kubernetes "Using Node Authorization", KEP-4601.
 */
import { parseFieldRequirements } from '../../machinery/selector/field-selector.ts'
import type { Attributes, Authorizer, Decision } from '../types.ts'
import { nodeOf } from './node-identity.ts'
import type { NodeReferences } from './node-references.ts'
import { CompiledRules, probeOf } from './rules.ts'

const READ = ['get', 'list', 'watch']

/** What holds for every node, whoever's object it is: the network of services and nodes, its own joining, its events. */
const COMMON = new CompiledRules([
  { verbs: READ, apiGroups: [''], resources: ['services', 'namespaces', 'endpoints', 'nodes'] },
  { verbs: READ, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  { verbs: READ, apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'] },
  { verbs: READ, apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'] },
  { verbs: READ, apiGroups: ['storage.k8s.io'], resources: ['csidrivers', 'storageclasses'] },
  { verbs: ['create'], apiGroups: [''], resources: ['nodes'] },
  { verbs: ['create', 'patch', 'update'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] },
  { verbs: ['create', 'get', 'list', 'watch'], apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'] },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'] },
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews', 'localsubjectaccessreviews'] },
])

const LEASES = 'kube-node-lease'
const OK: Decision = { allowed: true, reason: '' }
const NO: Decision = { allowed: false, reason: '' }
const no = (reason: string): Decision => ({ allowed: false, reason })

type Resource = NonNullable<Attributes['resource']>

export function nodeAuthorizer(references: NodeReferences): Authorizer {
  return async ({ user, verb, resource, path }) => {
    const node = nodeOf(user)
    if (node === null || !resource) return NO
    if (COMMON.allows(probeOf({ verb, resource, path }))) return OK
    switch (`${resource.resource}.${resource.group}`) {
      case 'nodes.':
        return ownNode(node, verb, resource)
      case 'leases.coordination.k8s.io':
        return ownLease(node, verb, resource)
      case 'csinodes.storage.k8s.io':
        return ['get', 'create', 'update', 'patch', 'delete'].includes(verb) && resource.name === node
          ? OK
          : no('can only access CSINode with the same name as the requesting node')
      case 'pods.':
        return ownPod(node, verb, resource, references)
      case 'secrets.':
      case 'configmaps.':
      case 'persistentvolumeclaims.':
        return referenced(node, verb, resource, references)
      case 'serviceaccounts.':
        return serviceAccount(node, verb, resource, references)
      case 'persistentvolumes.':
        return verb === 'get' && references.usesVolume(node, resource.name) ? OK : unrelated(node, resource)
      default:
        return NO
    }
  }
}

function ownNode(node: string, verb: string, { name, subresource }: Resource): Decision {
  if (subresource !== '' && subresource !== 'status') return NO
  if (verb !== 'update' && verb !== 'patch') return NO
  return name === node ? OK : no(`node ${JSON.stringify(node)} cannot modify node ${JSON.stringify(name)}`)
}

function ownLease(node: string, verb: string, { namespace, name, subresource }: Resource): Decision {
  if (namespace !== LEASES || subresource) return no(`can only access leases in the ${JSON.stringify(LEASES)} system namespace`)
  // The name of what is created is in the body: admission looks at it.
  if (verb === 'create' && !name) return OK
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return NO
  return name === node ? OK : no('can only access node lease with the same name as the requesting node')
}

function ownPod(node: string, verb: string, resource: Resource, references: NodeReferences): Decision {
  const { namespace, name, subresource, fieldSelector = '' } = resource
  if (verb === 'list' || verb === 'watch') {
    const own = parseFieldRequirements(fieldSelector).some((r) => r.field === 'spec.nodeName' && r.operator === '=' && r.value === node)
    if (subresource === '' && own) return OK
    if (!name) return no('can only list/watch pods with spec.nodeName field selector')
  }
  const verbs =
    subresource === 'status' ? ['get', 'update', 'patch'] : subresource === 'eviction' ? ['create'] : ['get', 'watch', 'list', 'delete']
  if ((subresource !== '' && subresource !== 'status' && subresource !== 'eviction') || !verbs.includes(verb)) return NO
  return references.nodeOfPod(namespace, name) === node ? OK : unrelated(node, resource)
}

function referenced(node: string, verb: string, resource: Resource, references: NodeReferences): Decision {
  const { resource: referent, namespace, name, subresource } = resource
  if (referent !== 'secrets' && referent !== 'configmaps' && referent !== 'persistentvolumeclaims') return NO
  if (!READ.includes(verb) || subresource) return no(`can only read resources of this type`)
  if (!name) return no('No Object name found')
  return references.uses(node, referent, namespace, name) ? OK : unrelated(node, resource)
}

function serviceAccount(node: string, verb: string, resource: Resource, references: NodeReferences): Decision {
  const { namespace, name, subresource } = resource
  const asked = (verb === 'create' && subresource === 'token') || (verb === 'get' && subresource === '')
  if (!asked) return no('can only create tokens for individual service accounts')
  return references.uses(node, 'serviceaccounts', namespace, name) ? OK : unrelated(node, resource)
}

function unrelated(node: string, { resource }: Resource): Decision {
  return no(`no relationship found between node ${JSON.stringify(node)} and this object (${resource})`)
}
