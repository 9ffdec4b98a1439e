// What a person says in the job form, and which of it matters: what a method does not need is not asked.
export interface FileRef {
  readonly filename: string
  readonly bucket: string
  readonly key: string
}
export type Method = 'ac' | 'mr' | 'pmr' | 'cr' | 'difference'
export type Reconstruction = 'rss' | 'b1' | 'sense' | 'grappa' | 'scanner'

/** Every field of the form by its name; what is empty was not said. */
export interface Values {
  method: Method
  reconstruction: Reconstruction
  noise: 'none' | 'file' | 'multiraid' | 'repetitions' | 'kspace_edge' | 'image_corners'
  noiseFile: string
  secondFile: string
  acquisition: '' | '2' | '3'
  decimate: boolean
  accelerationY: string
  accelerationZ: string
  acsY: string
  acsZ: string
  kernelX: string
  kernelY: string
  keepAcs: boolean
  coilMaps: string
  loadMaps: boolean
  mapsFile: string
  mask: string
  maskValue: string
  maskFile: string
  replicas: string
  boxSize: string
  seed: string
  noiseDomain: string
  flipAngleFile: string
  gfactor: boolean
  coilsensitivity: boolean
  matlab: boolean
}
export type Field = keyof Values

export const INITIAL: Values = {
  method: 'ac',
  reconstruction: 'rss',
  noise: 'none',
  noiseFile: '',
  secondFile: '',
  acquisition: '',
  decimate: false,
  accelerationY: '',
  accelerationZ: '',
  acsY: '',
  acsZ: '',
  kernelX: '',
  kernelY: '',
  keepAcs: false,
  coilMaps: 'inner',
  loadMaps: false,
  mapsFile: '',
  mask: 'no',
  maskValue: '',
  maskFile: '',
  replicas: '100',
  boxSize: '5',
  seed: '0',
  noiseDomain: 'image',
  flipAngleFile: '',
  gfactor: true,
  coilsensitivity: false,
  matlab: false,
}

/** Tells whether a field matters, given all others. */
export function isAsked(field: Field, values: Values): boolean {
  const { method, reconstruction, noise, mask, decimate } = values
  const isReplicated = method === 'pmr' || method === 'cr'
  const isAccelerated = reconstruction === 'sense' || reconstruction === 'grappa'
  const isSlab = values.acquisition === '3'
  const needsMaps = reconstruction === 'b1' || reconstruction === 'sense'
  switch (field) {
    case 'noiseFile':
      return noise === 'file'
    case 'secondFile':
      return noise === 'repetitions'
    case 'acquisition':
    case 'flipAngleFile':
      return method !== 'difference' || reconstruction !== 'scanner'
    case 'decimate':
    case 'accelerationY':
    case 'acsY':
      return isAccelerated
    case 'accelerationZ':
    case 'acsZ':
      return reconstruction === 'sense' && isSlab
    case 'kernelX':
    case 'kernelY':
      return reconstruction === 'grappa'
    case 'keepAcs':
      return reconstruction === 'grappa' && method !== 'ac'
    case 'coilMaps':
      return needsMaps && !values.loadMaps
    case 'loadMaps':
      return needsMaps
    case 'mapsFile':
      return needsMaps && (values.loadMaps || values.coilMaps === 'bodycoil')
    case 'maskValue':
      return mask === 'percentage' || mask === 'threshold'
    case 'maskFile':
      return mask === 'upload'
    case 'replicas':
    case 'seed':
      return isReplicated
    case 'boxSize':
      return method === 'cr' || method === 'difference'
    case 'noiseDomain':
      return method === 'pmr'
    case 'gfactor':
      return isAccelerated && !(values.keepAcs && reconstruction === 'grappa')
    case 'coilsensitivity':
      return needsMaps || isAccelerated || decimate
    default:
      return true
  }
}
