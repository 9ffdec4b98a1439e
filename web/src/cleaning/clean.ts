// A file as it may leave this machine: the same bytes as `mroptimum anonymise` writes, or the reason why it may not.
import { namesOf, type Patch } from './blanks'
import { Damaged, Source, toBytes, toText } from './bytes'
import { dicomPatches, isDicom } from './dicom'
import { filledSubjectFields } from './ismrmrd'
import { isNifti, niftiPatches } from './nifti'
import { isTwixVb, isTwixVe, twixPatches } from './twix'

export interface CleanFile {
  readonly format: string
  /** The names of the fields that were blanked; never their values. */
  readonly fields: readonly string[]
  readonly content: Blob
}

/** A file that must not be sent as it is, and what to do about it. */
export class MustNotLeave extends Error {
  constructor(
    message: string,
    readonly fields: readonly string[],
    readonly nextStep: string,
  ) {
    super(message)
  }
}

const HEAD_BYTES = 1024

export async function clean(blob: Blob, filename: string): Promise<CleanFile> {
  try {
    return await cleaned(blob, filename)
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    throw new MustNotLeave(error.message, [], 'Export it from the scanner again, and check that the copy has the same size.')
  }
}

async function cleaned(blob: Blob, filename: string): Promise<CleanFile> {
  const file = new Source(blob)
  const bytes = await file.bytes(0, Math.min(HEAD_BYTES, file.size))
  const head = toText(bytes)
  const view = new DataView(bytes.buffer)
  const command = `Run \`mroptimum anonymise ${filename}\` and upload the copy it writes.`
  if (isDicom(head)) return patched(file, 'dicom', await dicomPatches(file))
  if (isNifti(head)) return patched(file, 'nifti', await niftiPatches(file))
  if (head.startsWith('\x1f\x8b')) {
    const inside = await inflated(blob, filename)
    const fields = namesOf(await niftiPatches(inside))
    if (fields.length) throw new MustNotLeave('The compressed image has text in its header.', fields, command)
    return patched(file, 'nifti-gz', [])
  }
  if (head.startsWith('\x89HDF\r\n\x1a\n')) {
    const fields = await filledSubjectFields(file)
    if (fields.length) throw new MustNotLeave('The header names the person who was scanned.', fields, command)
    return patched(file, 'ismrmrd', [])
  }
  if (head.startsWith('MATLAB 5.0') || head.startsWith('MATLAB 7.3')) return patched(file, 'mat', [])
  if (head.startsWith('\x93NUMPY')) return patched(file, 'npz', [])
  if (head.startsWith('PK\x03\x04')) return patched(file, await kindOfZip(file, command), [])
  if (isTwixVe(view, file.size)) return patched(file, 'twix-ve', await twixPatches(file, true))
  if (isTwixVb(view, file.size)) return patched(file, 'twix-vb', await twixPatches(file, false))
  throw new MustNotLeave(
    'The file is of an unknown kind, so that nobody can say whom it names.',
    [],
    'Give raw data as the scanner saved it: Siemens TWIX (.dat), ISMRMRD (.h5, .mrd), or arrays in .mat or .npz.',
  )
}

async function inflated(blob: Blob, filename: string): Promise<Source> {
  const unpacked = await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).blob().catch(() => {
    throw new Damaged('it cannot be unpacked')
  })
  const inside = new Source(unpacked)
  if (!isNifti(await inside.text(0, Math.min(HEAD_BYTES, inside.size)))) {
    throw new MustNotLeave(`${filename} is a compressed file of an unknown kind.`, [], 'Unpack it, and give what is in it.')
  }
  return inside
}

/** Tells NumPy's arrays and result packages by the names in a zip file's directory, which stands at its end. */
async function kindOfZip(file: Source, command: string): Promise<string> {
  const tail = await file.text(Math.max(0, file.size - 2 ** 20), Math.min(file.size, 2 ** 20))
  const names = [...tail.matchAll(/PK\x01\x02/g)].map(({ index }) => {
    const length = tail.charCodeAt(index + 28) | (tail.charCodeAt(index + 29) << 8)
    return tail.slice(index + 46, index + 46 + length)
  })
  if (names.length && names.every((name) => name.endsWith('.npy'))) return 'npz'
  if (names.includes('info.json') && names.includes('manifest.json')) return 'result-package'
  throw new MustNotLeave('A zip file may hold anything.', [], command)
}

async function patched(file: Source, format: string, patches: readonly Patch[]): Promise<CleanFile> {
  return { format, fields: namesOf(patches), content: await applied(file, patches) }
}

/** Returns the file with the patches written over it, in their order; all else is not even read. */
async function applied(file: Source, patches: readonly Patch[]): Promise<Blob> {
  const parts: BlobPart[] = []
  let reached = 0
  for (const [start, end] of islands(patches)) {
    const content = await file.bytes(start, end - start)
    for (const { position, content: text } of patches) {
      if (position >= start && position < end) content.set(toBytes(text), position - start)
    }
    parts.push(file.blob.slice(reached, start), content)
    reached = end
  }
  return parts.length ? new Blob([...parts, file.blob.slice(reached)]) : file.blob
}

function islands(patches: readonly Patch[]): [number, number][] {
  const merged: [number, number][] = []
  for (const { position, content } of [...patches].sort((a, b) => a.position - b.position)) {
    const last = merged.at(-1)
    const end = position + content.length
    if (last && position <= last[1]) last[1] = Math.max(last[1], end)
    else merged.push([position, end])
  }
  return merged
}
