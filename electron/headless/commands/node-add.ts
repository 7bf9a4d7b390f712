import { FlotillaError } from '../../base/errors.ts'
import type { ArgOf, ResultOf } from '../../contracts/channel.ts'
import type { Channels } from '../../contracts/channels.ts'
import type { Caller } from '../../contracts/caller.ts'
import { nameOf, POOL_LABEL, type ListedHost } from '../../contracts/host-list.ts'
import { listMachines } from '../../plane/sandboxes.ts'
import { usage, type Args, type Command } from '../command.ts'
import { costOf, untilReady } from '../machine-progress.ts'
import { ask, askSecret, canAsk } from '../prompt.ts'
import type { Output } from '../output.ts'
import { addListed, readHostList } from './node-add-list.ts'
import { connectRunning } from '../session.ts'

type Add = ArgOf<Channels['machines.add']>
type HostKey = ResultOf<Channels['machines.scanHostKey']>

export const nodeAdd: Command = {
  name: 'node add',
  usage: '(HOST | --from FILE) [--user USER] [--key FILE | --password | --agent] [--state DIR]',
  summary: 'Makes a Linux host a node over SSH, or with --provider sandbox makes a light node on this computer. A plane must be running.',
  positionals: ['host?'],
  options: {
    provider: { type: 'string', help: 'ssh (default) or sandbox' },
    from: { type: 'string', help: 'a list of hosts, a hosts file or an Ansible inventory; - reads it from standard input' },
    parallel: { type: 'string', help: 'with --from: how many at the same time (default: 5)' },
    pool: { type: 'string', help: 'the label flotilla.dev/pool of the Node' },
    name: { type: 'string', help: 'name of the node (default: the host’s first label)' },
    user: { type: 'string', short: 'u', help: 'who signs in (default: root)' },
    port: { type: 'string', short: 'p', help: 'port of sshd (default: 22)' },
    key: { type: 'string', short: 'i', help: 'private key file; its passphrase, if it has one, is read from FLOTILLA_KEY_PASSPHRASE' },
    password: { type: 'boolean', help: 'sign in by password: asked for, or read from FLOTILLA_SSH_PASSWORD' },
    agent: { type: 'boolean', help: 'sign in with the keys of the SSH agent (default)' },
    'sudo-password': { type: 'boolean', help: 'sudo wants a password: asked for, or read from FLOTILLA_SUDO_PASSWORD' },
    code: { type: 'boolean', help: 'the host asks for a one-time code: asked for, or read from FLOTILLA_SSH_CODE' },
    'host-key': { type: 'string', help: 'the fingerprint that the host must show: SHA256:…' },
    'accept-new-host-key': { type: 'boolean', help: 'trust a host that was never seen; a changed key is still refused' },
    'install-containerd': { type: 'boolean', help: 'install containerd from the distribution’s packages if it is missing' },
    'node-ip': { type: 'string', help: 'the address that other nodes use (default: the one that was connected to)' },
    label: { type: 'string', multiple: true, help: 'KEY=VALUE on the Node; may be given again' },
  },
  async run({ args, output, stateDir, signal }) {
    using caller = await connectRunning(stateDir)
    if (args.text('from') !== undefined) return await addAll(caller, args, output, signal)
    const provider = args.choice('provider', ['ssh', 'sandbox']) ?? 'ssh'
    let name: string
    if (provider === 'sandbox') {
      const wanted = args.text('name')
      name = (await caller.call('machines.addSandbox', wanted === undefined ? {} : { name: wanted })).name
    } else {
      const hop = { host: args.need('host'), port: args.integer('port', 1, 65535) ?? 22, user: args.text('user') ?? 'root' }
      const shown = await caller.call('machines.scanHostKey', hop, { signal })
      await confirmKey(hop.host, shown, args, output, signal)
      const request = await addRequest(hop, shown.key, args, signal)
      name = (await caller.call('machines.add', { ...request, name: args.text('name') ?? nameOf(hop.host) }, { signal })).name
    }
    output.note(`Adding ${name} …`)
    const machine = await untilReady(caller, name, output, signal)
    const { phase, address, setup } = machine.status
    output.result({ name, phase, address, ...(setup ? { setup } : {}) }, `${name} is ready.${setup ? ` ${costOf(setup)}` : ''}`)
  },
}

async function addAll(caller: Caller<Channels>, args: Args, output: Output, signal: AbortSignal): Promise<void> {
  if (args.text('host') ?? args.text('name') ?? args.text('node-ip')) throw usage('--from stands for the host, its name and its address.')
  const all = await readHostList(args.need('from'))
  const known = new Set((await listMachines(caller)).map(({ metadata }) => metadata.name))
  const hosts = all.filter(({ name }) => !known.has(name))
  for (const { name } of all) if (known.has(name)) output.note(`  = ${name} is a machine already`)
  const user = args.text('user') ?? 'root'
  const hopOf = (host: ListedHost) => ({ host: host.host, port: host.port, user: host.user ?? user })
  await addListed({
    ...{ caller, hosts, output, signal, parallel: args.integer('parallel', 1, 50) ?? 5 },
    async confirm(host) {
      const shown = await caller.call('machines.scanHostKey', hopOf(host), { signal })
      await confirmKey(host.host, shown, args, output, signal)
      return shown.key
    },
    async add(host, key) {
      const request = await addRequest(hopOf(host), key, args, signal)
      const labels = { ...request.labels, ...host.labels }
      await caller.call('machines.add', { ...request, name: host.name, ...(Object.keys(labels).length ? { labels } : {}) }, { signal })
      await untilReady(caller, host.name, output, signal)
    },
  })
}

async function addRequest(
  hop: { host: string; port: number; user: string },
  hostKey: string,
  args: Args,
  signal: AbortSignal,
): Promise<Omit<Add, 'name'>> {
  const keyFile = args.text('key')
  const nodeIP = args.text('node-ip')
  const pool = args.text('pool')
  const given = Object.fromEntries(
    args.list('label').map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw usage(`--label takes KEY=VALUE, not "${text}".`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
  const labels = pool === undefined ? given : { ...given, [POOL_LABEL]: pool }
  const secret = async (variable: string, question: string, needed: boolean) => {
    const given = process.env[variable]
    if (given !== undefined || !needed) return given
    if (!canAsk()) throw usage(`there is no terminal to ask on; set ${variable}.`)
    return await askSecret(question, signal)
  }
  const password = await secret('FLOTILLA_SSH_PASSWORD', `Password of ${hop.user} on ${hop.host}: `, args.flag('password'))
  const sudoPassword = await secret('FLOTILLA_SUDO_PASSWORD', `sudo password of ${hop.user}: `, args.flag('sudo-password'))
  const code = await secret('FLOTILLA_SSH_CODE', `One-time code for ${hop.user} on ${hop.host}: `, args.flag('code'))
  const passphrase = process.env['FLOTILLA_KEY_PASSPHRASE']
  const useAgent = args.flag('agent') || (keyFile === undefined && password === undefined && code === undefined)
  return {
    ...hop,
    hostKey,
    ...(nodeIP ? { nodeIP } : {}),
    ...(args.flag('install-containerd') ? { installRuntime: true } : {}),
    ...(Object.keys(labels).length ? { labels } : {}),
    checkFirst: true,
    credentials: {
      ...(password === undefined ? {} : { password }),
      ...(sudoPassword === undefined ? {} : { sudoPassword }),
      ...(keyFile === undefined ? {} : { keyFile }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(code === undefined ? {} : { code }),
      ...(useAgent ? { useAgent } : {}),
    },
  }
}

async function confirmKey(host: string, shown: HostKey, args: Args, output: Output, signal: AbortSignal): Promise<void> {
  const wanted = args.text('host-key')
  if (wanted !== undefined && wanted !== shown.fingerprint) {
    throw new FlotillaError('SSH_HOST_KEY_CHANGED', {
      what: `${host} is not the host that was asked for.`,
      why: `It shows the key ${shown.fingerprint}, not ${wanted}.`,
      next: 'Compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine’s own console.',
    })
  }
  if (shown.state === 'changed') {
    throw new FlotillaError('SSH_HOST_KEY_CHANGED', {
      what: `The host key of ${host} has changed.`,
      why: `It shows ${shown.fingerprint}; pinned is ${shown.pinned?.fingerprint ?? 'another'} in ${shown.pinned?.source ?? 'known_hosts'}. Someone may be listening in, or the machine was installed anew.`,
      next: `If it was installed anew, remove the old key with \`ssh-keygen -R ${host}\` and try again.`,
    })
  }
  if (shown.state === 'known' || wanted !== undefined || args.flag('accept-new-host-key')) return
  if (canAsk()) {
    output.note(`${host} was never seen. It shows the key ${shown.fingerprint}.`)
    const answer = await ask('Is that the key of this host? [y/N] ', signal)
    if (/^y(es)?$/i.test(answer.trim())) return
  }
  throw new FlotillaError('SSH_HOST_KEY_UNKNOWN', {
    what: `${host} was not added.`,
    why: `Its host key ${shown.fingerprint} was never seen and was not confirmed.`,
    next: `Add --host-key ${shown.fingerprint} if that is the key of this host, or --accept-new-host-key.`,
  })
}
