import type { AnyKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/meta/v1/object.ts'
import type { Status } from '../../machinery/status.ts'
import { thaw } from '../../machinery/freeze.ts'
import type { Part } from './before-update.ts'
import type { Call, WriteParameters } from './registry.ts'

/** A part of a stored object that is read or written by itself. */
export interface Subresource {
  /** What is sent. */
  readonly kind: AnyKind
  /** Which rules an update of the parent follows. */
  readonly part: Part
  /** The part as an object of its own; absent: it is shown as the parent. */
  read?(parent: KubeObject): KubeObject
  /** Puts what was sent into a copy of the parent; absent: what was sent is the parent's new state. */
  write?(parent: KubeObject, sent: KubeObject): void
  /** Answers a POST. */
  create?(call: Call, object: KubeObject, parameters: WriteParameters): Promise<KubeObject | Status>
}

/** What the subresource shows of an object. */
export function shown(part: Subresource | null, parent: KubeObject): KubeObject {
  return part?.read ? part.read(parent) : parent
}

/** The parent's new state when `sent` is written to the subresource. */
export function merged(part: Subresource | null, parent: KubeObject | null, sent: KubeObject): KubeObject {
  if (!part?.write || !parent) return sent
  const copy = thaw(parent)
  part.write(copy, sent)
  if (sent.metadata.resourceVersion) copy.metadata.resourceVersion = sent.metadata.resourceVersion
  return copy
}
