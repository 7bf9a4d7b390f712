/** Ingresses that name no class get the default one. Source: kubernetes `plugin/pkg/admission/network/defaultingressclass`. */
import type { Ingress, IngressClass } from '../../api/networking/v1/types.gen.ts'
import { groupResource } from '../../api/kind.ts'
import type { Lookup } from '../registry/lookup.ts'
import type { AdmissionPlugin } from './admission.ts'

const INGRESS_CLASSES = { group: 'networking.k8s.io', version: 'v1', resource: 'ingressclasses' }
const IS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class'
/** How an ingress named its class before there was a field. */
const CLASS = 'kubernetes.io/ingress.class'

export function defaultIngressClass(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: ({ operation, kind, subresource }) =>
      operation === 'CREATE' && subresource === '' && groupResource(kind) === 'ingresses.networking.k8s.io',
    async admit({ object }) {
      const { metadata, spec } = object as Ingress
      if (spec.ingressClassName !== undefined || metadata.annotations?.[CLASS] !== undefined) return
      const found = youngestDefault(await lookup.list<IngressClass>(INGRESS_CLASSES))
      if (found) spec.ingressClassName = found.metadata.name
    },
  }
}

/** Of those that are equally old the first by name. */
function youngestDefault(classes: readonly IngressClass[]): IngressClass | undefined {
  const made = ({ metadata }: IngressClass) => Date.parse(metadata.creationTimestamp)
  return classes
    .filter(({ metadata }) => metadata.annotations?.[IS_DEFAULT] === 'true')
    .sort((a, b) => made(b) - made(a) || (a.metadata.name < b.metadata.name ? -1 : 1))
    .at(0)
}
