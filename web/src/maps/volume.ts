// Volumes as NIfTI files hold them: maps read whole, masks written in the geometry of a map.
export type Values = Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array
export type Triple = readonly [number, number, number]

export interface Volume {
  /** Voxels along i, j, k; our own files are stored closest to R-A-S. */
  readonly shape: Triple
  /** Voxel indices to RAS millimetres, three rows of four. */
  readonly affine: readonly (readonly number[])[]
  /** Which axis is across slices. */
  readonly sliceAxis: number
  /** Whether the place and size of voxels are the scanner's, or stand-ins. */
  readonly isPlaced: boolean
  readonly values: Values
  /** The file, uncompressed, as a viewer reads it. */
  readonly file: ArrayBuffer
}

export class NotAVolume extends Error {}

const HEADER_BYTES = 348
const DATA_OFFSET = 352
const UINT8 = 2
const MM = 2
const TYPES: Readonly<Record<number, readonly [new (buffer: ArrayBuffer) => Values, number]>> = {
  2: [Uint8Array, 1],
  4: [Int16Array, 2],
  8: [Int32Array, 4],
  16: [Float32Array, 4],
  64: [Float64Array, 8],
  256: [Int8Array, 1],
  512: [Uint16Array, 2],
  768: [Uint32Array, 4],
}
const SAME_WITHIN_VOXELS = 0.05

/** Reads a NIfTI-1 file, compressed or not. Throws `NotAVolume`. */
export async function readVolume(bytes: ArrayBuffer): Promise<Volume> {
  const head = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength))
  const file = head[0] === 0x1f && head[1] === 0x8b ? await through(new DecompressionStream('gzip'), bytes) : bytes
  return volumeOf(file)
}

export function volumeOf(file: ArrayBuffer): Volume {
  if (file.byteLength < DATA_OFFSET) throw new NotAVolume('The file is too short to be a map.')
  const view = new DataView(file)
  const little = view.getInt32(0, true) === HEADER_BYTES
  if (!little && view.getInt32(0, false) !== HEADER_BYTES) throw new NotAVolume('The file is no NIfTI file.')
  const shape = [1, 2, 3].map((axis) => Math.max(1, view.getInt16(40 + 2 * axis, little))) as unknown as Triple
  const type = TYPES[view.getInt16(70, little)]
  if (!type) throw new NotAVolume('The map holds values of a kind that is not shown here.')
  const [Kind, size] = type
  const offset = view.getFloat32(108, little)
  const n = shape[0] * shape[1] * shape[2]
  if (file.byteLength < offset + n * size) throw new NotAVolume('The map is cut short.')
  const content = file.slice(offset, offset + n * size)
  if (!little && size > 1) swapBytes(new Uint8Array(content), size)
  const hasRows = view.getInt16(254, little) > 0
  const scale = (row: number, column: number): number =>
    hasRows
      ? view.getFloat32(280 + 16 * row + 4 * column, little)
      : row === column
        ? view.getFloat32(80 + 4 * row, little)
        : 0
  const across = (view.getUint8(39) >> 4) & 3
  return {
    shape,
    affine: [0, 1, 2].map((row) => [0, 1, 2, 3].map((column) => scale(row, column))),
    sliceAxis: across ? across - 1 : 2,
    isPlaced: (view.getUint8(123) & 7) === MM,
    values: scaled(new Kind(content), view.getFloat32(112, little), view.getFloat32(116, little)),
    file,
  }
}

function scaled(values: Values, slope: number, intercept: number): Values {
  if (!Number.isFinite(slope) || slope === 0 || (slope === 1 && intercept === 0)) return values
  return Float64Array.from(values, (value) => value * slope + intercept)
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) bytes.subarray(start, start + size).reverse()
}

/** Returns a volume of other values on the voxels of a map, as an uncompressed NIfTI file. */
export function fileLike(map: Volume, values: Uint8Array | Float32Array, description: string): ArrayBuffer {
  const made = new ArrayBuffer(DATA_OFFSET + values.byteLength)
  const view = new DataView(made)
  new Uint8Array(made).set(new Uint8Array(map.file, 0, HEADER_BYTES))
  const little = view.getInt32(0, true) === HEADER_BYTES
  if (!little) return fileLike({ ...map, file: withLittleHeader(map) }, values, description)
  const isMask = values instanceof Uint8Array
  view.setInt16(70, isMask ? UINT8 : 16, true)
  view.setInt16(72, isMask ? 8 : 32, true)
  view.setFloat32(108, DATA_OFFSET, true)
  view.setFloat32(112, 1, true)
  view.setFloat32(116, 0, true)
  view.setFloat32(124, 0, true)
  view.setFloat32(128, 0, true)
  for (let i = 0; i < 80; i += 1) view.setUint8(148 + i, i < 79 ? asciiAt(description, i) : 0)
  new Uint8Array(made).set([0x6e, 0x2b, 0x31, 0], 344)
  new Uint8Array(made).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), DATA_OFFSET)
  return made
}

/** A bare little-endian header with the geometry of a map that was stored in the other order. */
function withLittleHeader(map: Volume): ArrayBuffer {
  const made = new ArrayBuffer(HEADER_BYTES)
  const view = new DataView(made)
  view.setInt32(0, HEADER_BYTES, true)
  view.setUint8(39, (map.sliceAxis + 1) << 4)
  view.setInt16(40, 3, true)
  for (let axis = 0; axis < 7; axis += 1) view.setInt16(42 + 2 * axis, map.shape[axis] ?? 1, true)
  view.setFloat32(76, 1, true)
  for (const axis of [0, 1, 2]) view.setFloat32(80 + 4 * axis, voxelSize(map, axis), true)
  view.setUint8(123, map.isPlaced ? MM : 0)
  view.setInt16(254, map.isPlaced ? 1 : 2, true)
  map.affine.forEach((row, i) => row.forEach((value, j) => view.setFloat32(280 + 16 * i + 4 * j, value, true)))
  return made
}

const asciiAt = (text: string, index: number): number => {
  const code = index < text.length ? text.charCodeAt(index) : 0
  return code < 128 ? code : 63
}

/** The size of a voxel along one of its axes, in mm. */
export function voxelSize(map: Volume, axis: number): number {
  return Math.hypot(...map.affine.map((row) => row[axis] ?? 0))
}

/** The volume of a voxel in mm³; null where its size is not known. */
export function voxelVolume(map: Volume): number | null {
  if (!map.isPlaced) return null
  const [a, b, c] = map.affine as [number[], number[], number[]]
  const at = (row: number[], column: number): number => row[column] ?? 0
  const determinant =
    at(a, 0) * (at(b, 1) * at(c, 2) - at(b, 2) * at(c, 1)) -
    at(a, 1) * (at(b, 0) * at(c, 2) - at(b, 2) * at(c, 0)) +
    at(a, 2) * (at(b, 0) * at(c, 1) - at(b, 1) * at(c, 0))
  return Math.abs(determinant)
}

export function millimetres(map: Volume, voxel: Triple): Triple {
  return map.affine.map((row) => row.slice(0, 3).reduce((sum, value, axis) => sum + value * (voxel[axis] ?? 0), row[3] ?? 0)) as unknown as Triple
}

/** Whether two volumes are the same voxels at the same places: no corner lies farther apart than a twentieth of a voxel. */
export function coincide(a: Volume, b: Volume): boolean {
  if (a.shape.some((n, axis) => n !== b.shape[axis])) return false
  const near = SAME_WITHIN_VOXELS * Math.min(...[0, 1, 2].map((axis) => voxelSize(a, axis)))
  for (let corner = 0; corner < 8; corner += 1) {
    const voxel = a.shape.map((n, axis) => (corner & (1 << axis) ? n - 1 : 0)) as unknown as Triple
    const [of_a, of_b] = [millimetres(a, voxel), millimetres(b, voxel)]
    if (Math.hypot(...of_a.map((value, axis) => value - (of_b[axis] ?? 0))) > near) return false
  }
  return true
}

export function compressed(file: ArrayBuffer): Promise<ArrayBuffer> {
  return through(new CompressionStream('gzip'), file)
}

async function through(stream: CompressionStream | DecompressionStream, bytes: ArrayBuffer): Promise<ArrayBuffer> {
  try {
    return await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer()
  } catch {
    throw new NotAVolume('The file cannot be unpacked: it is damaged or cut short.')
  }
}
