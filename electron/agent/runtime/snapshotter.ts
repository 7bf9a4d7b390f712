import type { Cri } from './cri.ts'

const USUAL = 'overlayfs'

/** The snapshotter that CRI's images are unpacked with; the folder of image layers is named after it. */
export async function findSnapshotter(cri: Pick<Cri, 'imageFilesystems'>): Promise<string> {
  const [filesystem] = await cri.imageFilesystems()
  return /io\.containerd\.snapshotter\.v1\.(\w+)/.exec(filesystem?.mountpoint ?? '')?.[1] ?? USUAL
}
