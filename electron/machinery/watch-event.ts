import type { KubeObject } from '../api/meta/v1/object.ts'

/** One line of a watch. BOOKMARK carries only kind, apiVersion and metadata.resourceVersion (and annotations). */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: T
}
