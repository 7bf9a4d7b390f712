import { describe, expect, it } from 'vitest'
import { nodeOf, podOf } from '../../testing/objects.ts'
import { pluginWorld } from '../../testing/plugin-world.ts'
import { imageLocality, normalizedImage } from './image-locality.ts'

const MB = 1024 * 1024
const withImage = (name: string, image: string, megabytes: number) =>
  nodeOf(name, { images: [{ names: [image], sizeBytes: megabytes * MB }] })

describe('ImageLocality', () => {
  it('likes the node that has the image, more so the larger it is', () => {
    const world = (megabytes: number) =>
      pluginWorld([imageLocality], { nodes: [withImage('has', 'app:1', megabytes), nodeOf('lacks')] }).scores(podOf('web'), 'ImageLocality')
    expect(world(500)).toEqual({ has: 23, lacks: 0 })
    expect(world(4000)).toEqual({ has: 100, lacks: 0 })
    expect(world(20)).toEqual({ has: 0, lacks: 0 })
  })

  it('has nothing to say where no node has any of the images', () => {
    const world = pluginWorld([imageLocality], { nodes: [withImage('other', 'db:1', 500)] })
    expect(world.scores(podOf('web'), 'ImageLocality')).toBeNull()
  })

  it('means the tag latest where none is written', () => {
    expect(['app', 'registry:5000/app', 'app:2', 'app@sha256:ab'].map(normalizedImage)).toEqual([
      'app:latest',
      'registry:5000/app:latest',
      'app:2',
      'app@sha256:ab',
    ])
  })
})
