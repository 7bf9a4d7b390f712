/** HostPort: pods that share a port of their node. */
import assert from 'node:assert/strict'
import { eventually, type Behaviours } from '../../lib/behaviour.ts'
import { execIn, serving, shell, STAY, startPod } from '../../lib/running.ts'

const HOST_PORT = 54323

export const behaviours: Behaviours = {
  async 'hostport-no-conflict'(context) {
    const onHost = await startPod(context, { hostNetwork: true, containers: [shell(context, STAY)] })
    const address = onHost.status.hostIP ?? ''
    const start = (name: string, hostIP: string, protocol: 'TCP' | 'UDP') => {
      const ports = [{ containerPort: 8080, hostPort: HOST_PORT, hostIP, protocol }]
      return startPod(
        context,
        { nodeName: onHost.spec.nodeName ?? '', containers: [serving(context, { UDP_PORT: '8080' }, { ports })] },
        { name },
      )
    }
    const [first] = await Promise.all([start('first', '127.0.0.1', 'TCP'), start('second', address, 'TCP'), start('third', address, 'UDP')])
    assert.equal(first.spec.nodeName, onHost.spec.nodeName)
    const udp = `const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); process.exit(0) }); s.send('hello', ${HOST_PORT}, '${address}'); setTimeout(() => process.exit(1), 1000)`
    for (const [script, answer] of [
      [`fetch http://127.0.0.1:${HOST_PORT}/hostname`, 'first'],
      [`fetch http://${address}:${HOST_PORT}/hostname`, 'second'],
      [`node -e "${udp}"`, 'third'],
    ] as const) {
      await eventually(
        context.signal,
        `${answer} is reached`,
        async () => (await execIn(context, onHost, script).catch(() => '')).trim() === answer,
      )
    }
  },
}
