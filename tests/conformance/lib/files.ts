/** Files as containers see them. */
import assert from 'node:assert/strict'
import type { Container, PodSpec, Volume } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import type { BehaviourContext } from './behaviour.ts'
import { outputOf, shell, type PodDraft } from './running.ts'

export interface FileSeen {
  /** As ls prints it: "-rw-r--r--". */
  readonly mode: string
  readonly content: Buffer
}

export const DEFAULT_MODE = '-rw-r--r--'

/** One volume at `/volume`, or several at `/volume-1` and so on. */
export function mountAll(
  volumes: readonly Draft<Volume>[],
): Pick<Draft<PodSpec>, 'volumes'> & { volumeMounts: { name: string; mountPath: string }[] } {
  const named = volumes.map((volume, i) => ({ ...volume, name: `volume-${i + 1}` }))
  return { volumes: named, volumeMounts: named.map(({ name }) => ({ name, mountPath: named.length === 1 ? '/volume' : `/${name}` })) }
}

/** Runs a pod that looks at these paths; fails if one cannot be read. */
export async function readFiles(
  context: BehaviourContext,
  paths: readonly string[],
  spec: Draft<PodSpec>,
  container: Draft<Container>,
  draft?: PodDraft,
): Promise<Map<string, FileSeen>> {
  const script = paths.map((path) => `echo "${path} $(stat -L -c %A ${path}) $(base64 ${path} | tr -d '\\n')"`)
  const output = await outputOf(context, { ...spec, containers: [shell(context, `set -e\n${script.join('\n')}`, container)] }, draft)
  const lines = output.trimEnd().split('\n')
  return new Map(
    lines.map((line) => {
      const [path = '', mode = '', content = ''] = line.split(' ')
      return [path, { mode, content: Buffer.from(content, 'base64') }]
    }),
  )
}

export function assertFile(files: ReadonlyMap<string, FileSeen>, path: string, content: string, mode?: string): void {
  const file = files.get(path)
  assert.ok(file, `${path} was not seen`)
  assert.equal(file.content.toString(), content, path)
  if (mode) assert.equal(file.mode, mode, path)
}
