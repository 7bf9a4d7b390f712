/** Devices that were promised to claims, until the informers know of it. Source: kubernetes `dynamicresources/dra_manager.go`. */
import type { AllocationResult, ResourceClaim } from '../../../api/resource/v1/types.gen.ts'

interface Promised {
  readonly allocation: AllocationResult
  /** Of the claim as it was written; null: it is not yet. */
  version: number | null
}

export class AssumedClaims {
  readonly #promised = new Map<string, Promised>()

  promise({ metadata }: ResourceClaim, allocation: AllocationResult): void {
    this.#promised.set(metadata.uid, { allocation, version: null })
  }

  /** From the written claim on the informers are believed. */
  written({ metadata }: ResourceClaim): void {
    const promised = this.#promised.get(metadata.uid)
    if (promised) promised.version = Number(metadata.resourceVersion)
  }

  /** What is written already stays until it is seen. */
  revoke({ metadata }: ResourceClaim): void {
    if (this.#promised.get(metadata.uid)?.version === null) this.#promised.delete(metadata.uid)
  }

  isPromised({ metadata }: ResourceClaim): boolean {
    return this.#promised.has(metadata.uid)
  }

  /** What is taken though the claims do not say so yet. `claim`: as the informers have it. */
  *allocations(claim: (uid: string) => ResourceClaim | undefined): Iterable<AllocationResult> {
    for (const [uid, { allocation, version }] of this.#promised) {
      const known = claim(uid)
      const seen = known ? version !== null && Number(known.metadata.resourceVersion) >= version : version !== null
      if (seen) this.#promised.delete(uid)
      else yield allocation
    }
  }
}
