/** Putting image archives into a machine's containerd. */
import { FlotillaError } from '../../base/errors.ts'
import { LAYOUT } from '../layout.ts'
import type { ExecResult, Shell } from '../ssh/exec.ts'

/** containerd's namespace for what CRI runs. */
const NAMESPACE = 'k8s.io'
const CTR = `ctr -a ${LAYOUT.containerdSocket} -n ${NAMESPACE}`

/**
 * Streams a tar into the machine's containerd and returns the names of its images there. Throws IMAGE_IMPORT_FAILED, DISK_FULL,
 * SSH_CONNECTION_LOST or the signal's reason. Importing an image again is no error.
 */
export async function importImage(
  root: Shell,
  archive: AsyncIterable<Uint8Array> | Uint8Array,
  options: { machine: string; signal?: AbortSignal | undefined },
): Promise<string[]> {
  const result = await root.exec(`${CTR} images import -`, { stdin: archive, signal: options.signal })
  if (result.code !== 0) throw importError(options.machine, result)
  const names = [...result.stdout.matchAll(/^(?:unpacking )?(\S+) (?:\(sha256:|\s*saved)/gm)].map(([, name]) => name ?? '')
  return [...new Set(names.filter(Boolean))]
}

/** The names of all images that the machine has. */
export async function imagesOf(root: Shell, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const { stdout } = await root.exec(`${CTR} images list -q`, { signal, timeoutMs: 90_000 })
  return new Set(stdout.split('\n').filter(Boolean))
}

function importError(machine: string, { code, stdout, stderr }: ExecResult): FlotillaError {
  const said = (stderr.trim() || stdout.trim())
    .split('\n')
    .slice(-2)
    .join(' ')
    .replace(/^ctr: /, '')
  const what = `The images could not be put on ${machine}.`
  if (/no space left|quota exceeded/i.test(said))
    return new FlotillaError('DISK_FULL', {
      what,
      why: 'Its disk is full.',
      next: 'Free some space in /var/lib/flotilla there, or remove images that are not used.',
    })
  const fail = (why: string, next: string) => new FlotillaError('IMAGE_IMPORT_FAILED', { what, why, next })
  if (/connection refused|no such file or directory.*sock|connection error/i.test(said))
    return fail("Flotilla's containerd does not answer there.", 'Check the machine, or set it up again with Retry.')
  if (/no match for platform|does not provide the specified platform|mismatch.*platform|might be filtered out/i.test(said))
    return fail('The archive has no image for the processor of this machine.', 'Build or save the image for its architecture.')
  if (/unexpected EOF|invalid tar header|unrecognized image format|content digest .* not found/i.test(said))
    return fail(`The archive is incomplete or damaged: ${said}.`, 'Save the image again, then import that.')
  return fail(said ? `containerd said: ${said}.` : `ctr ended with code ${code}.`, 'Check the archive, then try again.')
}
