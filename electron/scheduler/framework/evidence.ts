/** What a plugin saw when it refused a node, as data: what a person or a program needs to say what would have to change. */
export type Evidence =
  /** Amounts in thousandths of a core for cpu, in whole units (bytes, pods, devices) for the rest. */
  | {
      readonly type: 'resource'
      readonly resource: string
      readonly requested: number
      readonly used: number
      readonly allocatable: number
      /** What is left; negative where more is used than there is. */
      readonly free: number
      /** By how much `requested` is more than `free`. */
      readonly short: number
    }
  | { readonly type: 'taint'; readonly key: string; readonly value: string; readonly effect: string }
  | { readonly type: 'port'; readonly ip: string; readonly protocol: string; readonly port: number }
  /** A claim of the pod, and the volume that it is bound to; null: it is bound to none that is there. */
  | { readonly type: 'volume'; readonly claim: string; readonly volume: string | null }
  /** The node is not the only one that may be. */
  | { readonly type: 'nodeName'; readonly wanted: string }
  /** Labels of `spec.nodeSelector` that the node lacks or has otherwise. */
  | { readonly type: 'nodeSelector'; readonly missing: Readonly<Record<string, string>> }
  /** The first requirement of each alternative term of the required node affinity that the node does not meet. */
  | { readonly type: 'nodeAffinity'; readonly unmet: readonly Requirement[] }
  | {
      readonly type: 'topologySpread'
      readonly topologyKey: string
      /** Null: the node lacks the label. */
      readonly domain: string | null
      readonly maxSkew: number
      readonly skew: number
      /** Matching pods in this domain, and in the one with the fewest. */
      readonly matching: number
      readonly fewest: number
    }
  | {
      readonly type: 'podAffinity'
      readonly rule: 'affinity' | 'antiAffinity' | 'antiAffinityOfOthers'
      readonly topologyKey: string
      /** Null: the node lacks the label. */
      readonly domain: string | null
      /** The selector of the pod's own term; absent for those of others. */
      readonly selector?: string
    }

export interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}
