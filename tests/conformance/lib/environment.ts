/** The environment as a container sees it. */
import type { Container } from '../../../electron/api/core/v1/types.gen.ts'
import type { Draft } from '../../../electron/api/meta/v1/object.ts'
import type { BehaviourContext } from './behaviour.ts'
import { environment, outputOf, type PodDraft } from './running.ts'

/** Runs a pod that prints it. */
export async function environmentOf(
  context: BehaviourContext,
  container: Draft<Container>,
  draft?: PodDraft,
): Promise<Map<string, string>> {
  // Not by a shell, which would leave out names that are none to it.
  const containers = [{ name: 'main', image: context.image, command: ['env'], ...container }]
  return environment(await outputOf(context, { containers }, draft))
}
