/** The `images.remove` and `images.pull` channels: containerd's own `ctr` on the machines, over the links that are there. */
import { parseImageName } from '../../api/values/image-name.ts'
import { pod as podKind } from '../../api/core/v1/pod.ts'
import type { Pod } from '../../api/core/v1/types.gen.ts'
import { mapLimit } from '../../base/async.ts'
import { FlotillaError, messageOf } from '../../base/errors.ts'
import type { Client } from '../../client/client.ts'
import type { IMAGE_CHANNELS } from '../../contracts/images.ts'
import type { Handlers } from '../../contracts/server.ts'
import { fullReference } from '../../provision/images/archive-reader.ts'
import { LAYOUT } from '../../provision/layout.ts'
import type { Machines } from '../../provision/machines/types.ts'
import { quote } from '../../provision/quote.ts'

const CTR = `ctr -a ${LAYOUT.containerdSocket} -n k8s.io`
/** Machines that are worked on at the same time. */
const AT_ONCE = 4
const REMOVE_MS = 120_000
/** What Flotilla itself needs on each machine. */
const OWN = /^flotilla\.local\//

interface Failed {
  readonly type: 'failed'
  readonly machine: string
  readonly code: string
  readonly what: string
  readonly why: string
  readonly next: string
}

export function imageHandlers({ client, machines }: { client: Client; machines: Pick<Machines, 'run'> }): Handlers<typeof IMAGE_CHANNELS> {
  return {
    async 'images.remove'({ machines: wanted }, duplex) {
      await mapLimit(wanted, AT_ONCE, async ({ machine, images }) => {
        try {
          const { items } = await client.list(podKind, { fieldSelector: `spec.nodeName=${machine}`, signal: duplex.signal })
          const used = namesInUse(items)
          const going = images.filter((image) => !used.has(image) && !used.has(fullReference(image)) && !OWN.test(image))
          if (going.length) {
            const script = `${CTR} images rm ${going.map(quote).join(' ')}`
            const { code, stderr, stdout } = await machines.run(
              { name: machine, script, root: true },
              { signal: duplex.signal, timeoutMs: REMOVE_MS },
            )
            if (code !== 0) return await duplex.send(refusal(machine, `The images on ${machine} could not be removed.`, stderr || stdout))
          }
          await duplex.send({ type: 'done', machine, images: going })
        } catch (error) {
          duplex.signal.throwIfAborted()
          await duplex.send(failure(machine, `The images on ${machine} could not be removed.`, error))
        }
      })
    },

    async 'images.pull'({ machines: names, image }, duplex) {
      if (!parseImageName(image)) {
        throw new FlotillaError('INVALID_INPUT', {
          what: `"${image}" is not the name of an image.`,
          why: '',
          next: 'Write it as in a pod: nginx:1.29.',
        })
      }
      const name = fullReference(image)
      const reference = /[:@][^/]*$/.test(name) ? name : `${name}:latest`
      await mapLimit([...names], AT_ONCE, async (machine) => {
        try {
          await duplex.send({ type: 'progress', machine, detail: reference })
          const script = `${CTR} images pull ${quote(reference)}`
          const { code, stderr, stdout } = await machines.run({ name: machine, script, root: true }, { signal: duplex.signal })
          if (code !== 0) await duplex.send(refusal(machine, `${machine} could not fetch ${reference}.`, stderr || stdout))
          else await duplex.send({ type: 'done', machine, images: [reference] })
        } catch (error) {
          duplex.signal.throwIfAborted()
          await duplex.send(failure(machine, `${machine} could not fetch ${reference}.`, error))
        }
      })
    },
  }
}

/** By what pods ask for, and by what containers are made from. */
export function namesInUse(pods: readonly Pod[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { spec, status } of pods) {
    for (const { image } of [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])])
      if (image) names.add(image).add(tagged(fullReference(image)))
    for (const { image, imageID } of [
      ...(status.containerStatuses ?? []),
      ...(status.initContainerStatuses ?? []),
      ...(status.ephemeralContainerStatuses ?? []),
    ])
      names.add(image).add(imageID)
  }
  names.delete('')
  return names
}

const tagged = (reference: string): string => (/[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`)

function refusal(machine: string, what: string, said: string): Failed {
  const why = said
    .trim()
    .split('\n')
    .slice(-2)
    .join(' ')
    .replace(/^ctr: /, '')
  const next = /no such host|dial tcp|i\/o timeout|connection refused/i.test(why)
    ? 'The machine itself must reach the registry: check its network and name resolution.'
    : /unauthorized|authorization failed|denied|insufficient_scope/i.test(why)
      ? 'The registry wants a sign-in: give its credentials to the pods that use the image.'
      : 'Correct what it names, then try again.'
  return { type: 'failed', machine, code: 'REMOTE_COMMAND_FAILED', what, why: why || 'ctr did not say why.', next }
}

function failure(machine: string, what: string, error: unknown): Failed {
  if (!(error instanceof FlotillaError)) return { type: 'failed', machine, code: 'INTERNAL', what, why: messageOf(error), next: '' }
  return { type: 'failed', machine, code: error.code, what, why: `${error.what} ${error.why}`.trim(), next: error.next }
}
