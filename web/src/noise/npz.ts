// Arrays in NumPy's zip files, as far as our own packages hold them: complex matrices.
export interface Matrix {
  readonly n: number
  readonly re: Float64Array
  readonly im: Float64Array
}

export class NotAnArchive extends Error {}

const CENTRAL = 0x02014b50
const END = 0x06054b50
const STORED = 0
const DEFLATED = 8

/** Reads a square complex128 matrix by its name. Throws `NotAnArchive`. */
export async function readMatrix(archive: ArrayBuffer, name: string): Promise<Matrix> {
  return matrixOf(await member(archive, `${name}.npy`))
}

async function member(archive: ArrayBuffer, name: string): Promise<ArrayBuffer> {
  const view = new DataView(archive)
  let end = archive.byteLength - 22
  while (end >= 0 && view.getUint32(end, true) !== END) end -= 1
  if (end < 0) throw new NotAnArchive('The file of the noise is no archive, or only part of one.')
  let at = view.getUint32(end + 16, true)
  for (let left = view.getUint16(end + 10, true); left > 0 && view.getUint32(at, true) === CENTRAL; left -= 1) {
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [number, number, number]
    if (new TextDecoder().decode(new Uint8Array(archive, at + 46, nameLength)) === name) return unpacked(archive, view, at)
    at += 46 + nameLength + extra + comment
  }
  throw new NotAnArchive(`The file of the noise holds no ${name}.`)
}

async function unpacked(archive: ArrayBuffer, view: DataView, entry: number): Promise<ArrayBuffer> {
  const [method, size, local] = [view.getUint16(entry + 10, true), view.getUint32(entry + 20, true), view.getUint32(entry + 42, true)]
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  const content = archive.slice(start, start + size)
  if (method === STORED) return content
  if (method !== DEFLATED) throw new NotAnArchive('The file of the noise is packed in an unusual way.')
  return new Response(new Blob([content]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer()
}

function matrixOf(file: ArrayBuffer): Matrix {
  const view = new DataView(file)
  const isSecond = view.getUint8(6) > 1
  const offset = isSecond ? 12 : 10
  const length = isSecond ? view.getUint32(8, true) : view.getUint16(8, true)
  const header = new TextDecoder('latin1').decode(new Uint8Array(file, offset, length))
  const shape = /'shape': \((\d+), (\d+)\)/.exec(header)
  if (!shape || shape[1] !== shape[2] || !header.includes("'descr': '<c16'")) {
    throw new NotAnArchive('The noise is no square complex matrix.')
  }
  const n = Number(shape[1])
  const isTransposed = header.includes("'fortran_order': True")
  const values = new Float64Array(file.slice(offset + length, offset + length + 16 * n * n))
  const at = (index: number): number => (isTransposed ? (index % n) * n + Math.floor(index / n) : index)
  return {
    n,
    re: Float64Array.from({ length: n * n }, (_, index) => values[2 * at(index)] as number),
    im: Float64Array.from({ length: n * n }, (_, index) => values[2 * at(index) + 1] as number),
  }
}
