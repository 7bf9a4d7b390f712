/** Which volumes suit a claim. Source: kubernetes `component-helpers/storage/volume`, `FindMatchingVolume`. */
import { storageClassOf } from '../../api/core/v1/persistent-volume.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import { compareQuantity } from '../../api/values/quantity.ts'
import { selectorFromObject } from '../selector/label-selector.ts'

export interface MatchOptions {
  /** For a claim that waits for its pod: only what was given to it beforehand. */
  readonly reservedOnly?: boolean
  /** Whether the volume can be reached from where it is to be used. Absent: it may be anywhere. */
  readonly reachable?: (volume: PersistentVolume) => boolean
  /** Volumes that are promised to other claims. */
  readonly taken?: ReadonlySet<string>
}

/** Whether the volume says that it is this claim's; a reference without uid was written by hand, and is good for any claim of the name. */
export function isReservedFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (claimRef?.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}

/** The volume that was given to the claim, or the smallest that suits it; null: there is none. */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  { reservedOnly = false, reachable = () => true, taken }: MatchOptions = {},
): PersistentVolume | null {
  const wanted = claim.spec.selector ? selectorFromObject(claim.spec.selector) : null
  const className = storageClassOf(claim)
  let best: PersistentVolume | null = null
  for (const volume of volumes) {
    const { metadata, spec, status } = volume
    if (taken?.has(metadata.name) || metadata.deletionTimestamp) continue
    if (isTooSmall(volume, claim) || isOtherMode(volume, claim) || isOtherAttributes(volume, claim)) continue
    if (spec.claimRef) {
      if (!isReservedFor(volume, claim)) continue
      return reachable(volume) ? volume : null
    }
    if (reservedOnly || status.phase !== 'Available' || storageClassOf(volume) !== className) continue
    if (wanted && !wanted.matches(metadata.labels)) continue
    if (!allows(volume, claim) || !reachable(volume)) continue
    if (!best || isSmaller(volume, best)) best = volume
  }
  return best
}

/** Why a volume that the claim names will not do, in upstream's words; null: it will. */
export function mismatchOf(volume: PersistentVolume, claim: PersistentVolumeClaim): string | null {
  if (isTooSmall(volume, claim)) return 'requested PV is too small'
  if (storageClassOf(volume) !== storageClassOf(claim)) return 'storageClassName does not match'
  if (isOtherAttributes(volume, claim)) return 'VolumeAttributesClassName does not match'
  if (isOtherMode(volume, claim)) return 'incompatible volumeMode'
  return allows(volume, claim) ? null : 'incompatible accessMode'
}

/** Of a volume or claim. */
export function modeOf({ spec }: { readonly spec: { readonly volumeMode?: 'Block' | 'Filesystem' } }): 'Block' | 'Filesystem' {
  return spec.volumeMode ?? 'Filesystem'
}

export function storageOf(list: Readonly<Record<string, string>> | undefined): string {
  return list?.['storage'] ?? '0'
}

function isTooSmall({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return compareQuantity(storageOf(spec.capacity), storageOf(claim.spec.resources.requests)) < 0
}

function isSmaller(a: PersistentVolume, b: PersistentVolume): boolean {
  const order = compareQuantity(storageOf(a.spec.capacity), storageOf(b.spec.capacity))
  return order < 0 || (order === 0 && a.metadata.name < b.metadata.name)
}

function isOtherMode({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return modeOf({ spec }) !== modeOf(claim)
}

function isOtherAttributes({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? '')
}

function allows({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))
}
