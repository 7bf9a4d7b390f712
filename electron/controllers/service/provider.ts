/** Who makes load balancers. Source: kubernetes `cloud-provider.LoadBalancer`, as far as a desktop needs it. */
import type { LoadBalancerIngress, Node, Service } from '../../api/core/v1/types.gen.ts'

export interface LoadBalancerProvider {
  /** `spec.loadBalancerClass` of the Services that ask for it; those that name none are its own, too. */
  readonly loadBalancerClass: string
  /**
   * What the Service can be reached at from outside. `nodes` may take its traffic; `others` are all Services of the provider, this one
   * left out. Throws NotPossible; told again when nodes or Services change.
   */
  ensure(service: Service, nodes: readonly Node[], others: readonly Service[]): readonly LoadBalancerIngress[]
}

/** What cannot be had, said to people; another try makes sense only when something else changes. */
export class NotPossible extends Error {
  override readonly name = 'NotPossible'
}

/** Whether the Service is for the provider. */
export function isFor({ loadBalancerClass }: LoadBalancerProvider, { spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? loadBalancerClass) === loadBalancerClass
}
