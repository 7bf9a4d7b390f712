/** Types a transcript into a shell, line by line, in a namespace and a folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { namespace as namespaceKind } from '../../../electron/api/core/v1/namespace.ts'
import { serviceAccount } from '../../../electron/api/core/v1/service-account.ts'
import { sleep, systemClock } from '../../../electron/base/clock.ts'
import { eventually } from '../../conformance/lib/behaviour.ts'
import type { Lab } from './lab.ts'
import { normalise } from './normalise.ts'
import { expected, isFor, type Output, type Step } from './transcript.ts'
import type { Kubectl } from './versions.ts'

export interface Area {
  /** Also the name of its namespace. */
  readonly name: string
  readonly steps: readonly Step[]
}

/** A command that prints nothing of what is wanted is given up; one that does not end is killed. */
const PATIENCE = 180_000
const AGAIN = 150
const STEADY_AGAIN = 1000
const STEADY = 4

/** What each command printed, in the end. `learns`: the transcript does not say yet what is wanted. */
export async function runArea({ name, steps }: Area, { path, minor }: Kubectl, lab: Lab, learns = false): Promise<Map<Step, Output>> {
  const { client } = lab
  const dir = join(lab.dir, `area-${name}`)
  const bin = join(dir, '.bin')
  await mkdir(bin, { recursive: true })
  await symlink(path, join(bin, 'kubectl'))
  await copyFile(lab.kubeconfig, join(dir, '.kubeconfig'))
  await client.create(namespaceKind, { metadata: { name } })
  await eventually(AbortSignal.timeout(PATIENCE), `the namespace ${name} can be used`, () =>
    client.get(serviceAccount, { name: 'default', namespace: name }),
  )
  const env = { HOME: lab.dir, KUBECONFIG: join(dir, '.kubeconfig'), PATH: `${bin}:/usr/bin:/bin`, TMPDIR: dir, LC_ALL: 'C', TZ: 'UTC' }
  const type = async (command: string): Promise<Output> => {
    const child = spawn('sh', ['-c', command], { cwd: dir, env, timeout: PATIENCE, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { out: normalise(out, dir), err: normalise(err, dir), code: child.exitCode ?? 137 }
  }
  await type(`kubectl config set-context --current --namespace=${name}`)
  const outputs = new Map<Step, Output>()
  for (const step of steps) {
    if (step.type === 'file') await writeFile(join(dir, step.name), step.text)
    if (step.type === 'command' && isFor(step, minor)) {
      const again = () => type(step.text)
      outputs.set(step, await (!step.untilSo ? again() : learns ? untilSteady(again) : untilWanted(expected(step, minor), again)))
    }
  }
  return outputs
}

async function untilWanted(wanted: Output, type: () => Promise<Output>): Promise<Output> {
  const until = systemClock.monotonic() + PATIENCE
  for (;;) {
    const output = await type()
    if (isSame(output, wanted) || systemClock.monotonic() > until) return output
    await sleep(systemClock, AGAIN)
  }
}

/** Who knows not yet what is wanted takes what stays. */
async function untilSteady(type: () => Promise<Output>): Promise<Output> {
  const until = systemClock.monotonic() + PATIENCE
  let output = await type()
  for (let same = 0; same < STEADY && systemClock.monotonic() < until;) {
    await sleep(systemClock, STEADY_AGAIN)
    const next = await type()
    same = isSame(output, next) ? same + 1 : 0
    output = next
  }
  return output
}

function isSame(a: Output, b: Output): boolean {
  return a.out === b.out && a.err === b.err && a.code === b.code
}
