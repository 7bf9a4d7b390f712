/** Volumes and claims for tests, as short as they can be. */
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1/types.gen.ts'
import type { Draft } from '../../api/meta/v1/object.ts'
import { NAMESPACE } from './cluster.ts'

/** 1Gi for one node at a time, of no class, kept when it is released. */
export function volumeOf(name: string, spec: Draft<PersistentVolume['spec']> = {}): Draft<PersistentVolume> {
  const own = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce' as const], hostPath: { path: `/srv/${name}` } }
  return { metadata: { name }, spec: { ...own, ...spec } }
}

/** Of 500Mi for one node at a time; of the default class, if there is one. */
export function claimOf(name: string, spec: Draft<PersistentVolumeClaim['spec']> = {}): Draft<PersistentVolumeClaim> {
  const own = { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '500Mi' } } }
  return { metadata: { name, namespace: NAMESPACE }, spec: { ...own, ...spec } }
}
