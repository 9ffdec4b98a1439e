// NIfTI: the fields of text in the header, and header extensions, where converters copy what they find.
import { patch, rules, type Patch } from './blanks'
import { Damaged, type Source } from './bytes'

const FIRST_BYTES = 348
const SECOND_BYTES = 540
const SECOND_SIGNATURE = 'n+2\0\r\n\x1a\n'
const LARGEST_EXTENSION = 2 ** 26

export function isNifti(head: string): boolean {
  return head.startsWith('n+1\0', 344) || head.startsWith(SECOND_SIGNATURE, 4)
}

export async function niftiPatches(file: Source): Promise<Patch[]> {
  const head = await file.bytes(0, Math.min(SECOND_BYTES, file.size))
  const view = new DataView(head.buffer)
  const isSecond = String.fromCharCode(...head.subarray(4, 12)) === SECOND_SIGNATURE
  const headerBytes = isSecond ? SECOND_BYTES : FIRST_BYTES
  const places = isSecond ? rules.nifti.nifti2 : rules.nifti.nifti1
  const patches = places.flatMap((place) =>
    patch(
      place.name,
      'bytes',
      place.offset,
      String.fromCharCode(...head.subarray(place.offset, place.offset + place.bytes)),
    ),
  )
  const isLittle = view.getInt32(0, true) === headerBytes
  const offset = isSecond ? Number(view.getBigInt64(168, isLittle)) : view.getFloat32(108, isLittle)
  const dataAt = offset >= 0 && offset < 2 ** 31 ? Math.trunc(offset) : 0
  const first = headerBytes + 4
  if (dataAt < first || dataAt > Math.min(file.size, first + LARGEST_EXTENSION)) {
    if (dataAt === headerBytes) return patches
    throw new Damaged('its header says nothing usable of where its voxels begin')
  }
  // The four bytes before say whether there are extensions: they go, too, for what is left is none.
  const extensions = await file.text(headerBytes, dataAt - headerBytes)
  if (/[^\0]/.test(extensions.slice(4))) patches.push(...patch(rules.nifti.extensions, 'bytes', headerBytes, extensions))
  return patches
}
