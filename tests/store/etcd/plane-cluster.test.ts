import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { messageOf } from '../../../electron/base/errors.ts'
import { type EtcdMember, startThree } from './member.ts'
import { type Served, servePlane } from './plane-process.ts'

/** Objects that are made while a member is away. */
const EACH_TIME = 10

describe('a served plane on three members of etcd', () => {
  let dir: string
  let members: EtcdMember[]
  let plane: Served
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plane-three-'))
    members = await startThree(dir)
    plane = await servePlane(
      join(dir, 'state'),
      members.map(({ url }) => url),
    )
  })
  afterAll(async () => {
    await plane[Symbol.asyncDispose]()
    await Promise.all(members.map((member) => member.kill()))
    rmSync(dir, { recursive: true, force: true })
  })

  /** Tries until it is there: an answer may be lost together with the member that gave it. */
  async function make(name: string): Promise<void> {
    for (;;) {
      try {
        await plane.kubectl('create', 'configmap', name)
        return
      } catch (error) {
        if (messageOf(error).includes('AlreadyExists')) return
        expect(messageOf(error)).toMatch(/unavailable|timed out|timeout/i)
      }
    }
  }

  it('serves on while each of them is killed in turn, loses nothing, and keeps its clients’ watches', async () => {
    const watch = spawn('kubectl', ['--kubeconfig', plane.kubeconfig, 'get', 'configmaps', '-w', '-o', 'name'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(watch, 'exit')
    const seen = new Set<string>()
    createInterface(watch.stdout).on('line', (line) => seen.add(line))
    const made: string[] = []
    for (const [round, member] of members.entries()) {
      await member.kill()
      for (let i = 0; i < EACH_TIME; i++) {
        const name = `turn-${round}-${i}`
        await make(name)
        made.push(`configmap/${name}`)
      }
      await member.start()
    }
    const stored = (await plane.kubectl('get', 'configmaps', '-o', 'name')).split('\n')
    expect(stored).toEqual(expect.arrayContaining(made))
    await expect.poll(() => made.filter((name) => !seen.has(name)), { timeout: 30_000 }).toEqual([])
    expect(watch.exitCode).toBe(null)
    watch.kill('SIGTERM')
    await ended
  })
})
