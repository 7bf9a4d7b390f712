import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Shell } from '../ssh/exec.ts'
import { localShell } from '../testing/local-shell.ts'
import { installKey, removeKey } from './key.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID+a6qkljRqeO0zKD7olXvv4MK7hsWoswbuQBvrvzMpz'
let home: string
let shell: Shell
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'key-'))
  shell = localShell(home)
})
afterEach(() => rm(home, { recursive: true }))
const file = () => join(home, '.ssh/authorized_keys')

describe('the key in authorized_keys', () => {
  it('is added once, in a file that only its owner reads', async () => {
    expect(await installKey(shell, KEY, 'c1')).toBe(true)
    expect(await installKey(shell, KEY, 'c1')).toBe(false)
    expect(await readFile(file(), 'utf8')).toBe(`${KEY} flotilla-c1+folder\n`)
    expect((await stat(file())).mode & 0o777).toBe(0o600)
    expect((await stat(join(home, '.ssh'))).mode & 0o777).toBe(0o700)
  })

  it('does not run into a last line without an end', async () => {
    await mkdir(join(home, '.ssh'))
    await writeFile(file(), '# mine\nssh-rsa AAAA me')
    await installKey(shell, KEY, 'c1')
    expect(await readFile(file(), 'utf8')).toBe(`# mine\nssh-rsa AAAA me\n${KEY} flotilla-c1+newline\n`)
    await removeKey(shell, KEY)
    expect(await readFile(file(), 'utf8')).toBe('# mine\nssh-rsa AAAA me')
  })

  it('goes again and leaves all other lines as they were', async () => {
    await mkdir(join(home, '.ssh'))
    const others = '# mine\n\nssh-rsa AAAA me\nfrom="10.*" ssh-rsa BBBB\n'
    await writeFile(file(), others)
    await installKey(shell, KEY, 'c1')
    await removeKey(shell, KEY)
    expect(await readFile(file(), 'utf8')).toBe(others)
    await removeKey(shell, KEY)
    await rm(file())
    await removeKey(shell, KEY)
  })

  it('goes with the file and the folder that were made for it, and with no others', async () => {
    await installKey(shell, KEY, 'c1')
    await removeKey(shell, KEY)
    expect(await readdir(home)).toEqual([])
    await mkdir(join(home, '.ssh'))
    await installKey(shell, KEY, 'c1')
    await removeKey(shell, KEY)
    expect(await readdir(join(home, '.ssh'))).toEqual([])
    await writeFile(file(), '')
    await installKey(shell, KEY, 'c1')
    await removeKey(shell, KEY)
    expect(await readFile(file(), 'utf8')).toBe('')
    await rm(join(home, '.ssh'), { recursive: true })
    await installKey(shell, KEY, 'c1')
    await writeFile(join(home, '.ssh/config'), 'theirs')
    await appendFile(file(), 'ssh-rsa AAAA me\n')
    await removeKey(shell, KEY)
    expect((await readdir(join(home, '.ssh'))).sort()).toEqual(['authorized_keys', 'config'])
    expect(await readFile(file(), 'utf8')).toBe('ssh-rsa AAAA me\n')
  })

  it('cannot be added where there is no home', async () => {
    await writeFile(join(home, '.ssh'), '')
    await expect(installKey(shell, KEY, 'c1')).rejects.toMatchObject({
      code: 'REMOTE_COMMAND_FAILED',
      next: expect.stringContaining('home') as string,
    })
  })
})
