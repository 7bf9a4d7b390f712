/** A release's manifest by object, and what differs between two of them. */
import { parseManifest } from '../../editor/yaml.ts'

export interface ManifestPart {
  /** "apps/v1 Deployment shop/web": the same object in two manifests has the same one. */
  readonly id: string
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  readonly text: string
}

export interface ManifestChange {
  readonly part: ManifestPart
  readonly change: 'added' | 'changed' | 'removed'
  readonly before: string
  readonly after: string
}

export function manifestParts(manifest: string): ManifestPart[] {
  return manifest.split(/^---\s*$/m).flatMap((text) =>
    parseManifest(text).documents.flatMap(({ object }): ManifestPart[] => {
      const { apiVersion, kind, metadata } = object ?? {}
      if (!apiVersion || !kind || !metadata?.name) return []
      const { name, namespace } = metadata
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
      return [{ id: `${group} ${kind} ${namespace ?? ''}/${name}`, apiVersion, kind, namespace, name, text: text.trim() }]
    }),
  )
}

/** In the order of the newer manifest; what is removed comes last. */
export function manifestChanges(before: string, after: string): { changes: ManifestChange[]; same: number } {
  const old = new Map(manifestParts(before).map((part) => [part.id, part]))
  const changes: ManifestChange[] = []
  let same = 0
  for (const part of manifestParts(after)) {
    const was = old.get(part.id)
    old.delete(part.id)
    if (!was) changes.push({ part, change: 'added', before: '', after: part.text })
    else if (was.text === part.text) same++
    else changes.push({ part, change: 'changed', before: was.text, after: part.text })
  }
  for (const part of old.values()) changes.push({ part, change: 'removed', before: part.text, after: '' })
  return { changes, same }
}
