/** Why an image could not be had, read from what containerd said (remotes/docker, errdefs), and what to do about it. */
import { parseImageName } from '../../../electron/api/values/image-name.ts'
import { t } from '../i18n/index.ts'

/** The usual reasons; `other` keeps the runtime's own words. */
export type PullReason = 'name' | 'never' | 'missing' | 'denied' | 'busy' | 'platform' | 'unreachable' | 'space' | 'other'

export interface PullCause {
  readonly reason: PullReason
  /** Why, and what next. */
  readonly text: string
}

const SIGNS: readonly (readonly [PullReason, RegExp])[] = [
  ['busy', /toomanyrequests|429 too many/i],
  ['platform', /no match for platform|no matching manifest|does not match the specified platform/i],
  ['space', /no space left on device/i],
  [
    'unreachable',
    /no such host|dial tcp|i\/o timeout|connection refused|connection reset|deadline exceeded|tls:|x509:|network is unreachable|unexpected EOF/i,
  ],
  // A registry that wants a sign-in says so also of what does not exist.
  ['denied', /unauthorized|authorization failed|pull access denied|insufficient_scope|40[13] (unauthorized|forbidden)|denied:/i],
  ['missing', /not found|manifest unknown|name unknown|404/i],
]

/** `word` is the waiting reason of the container, `message` what the kubelet says with it. */
export function pullCause(word: string, message: string, image: string, machine: string): PullCause {
  const reason = reasonOf(word, message)
  const name = parseImageName(image)
  const at = {
    registry: name?.domain ?? '',
    image: name ? `${name.path}${name.digest ? `@${name.digest}` : `:${name.tag}`}` : image,
    machine: machine || t('cause.image.aMachine'),
  }
  return { reason, text: reason === 'other' ? message : t(`cause.image.${reason}`, at) }
}

function reasonOf(word: string, message: string): PullReason {
  if (word === 'InvalidImageName') return 'name'
  if (word === 'ErrImageNeverPull') return 'never'
  return SIGNS.find(([, sign]) => sign.test(message))?.[0] ?? 'other'
}
